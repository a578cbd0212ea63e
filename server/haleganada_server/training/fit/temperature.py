"""One number that makes a network's confidence honest (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

_COLDEST, _WARMEST = 0.05, 20.0


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """By what to divide the logits (n, classes), so that labels (n,) are likeliest; 1 without any. In 0.05..20.

    A network that was right each time is not infinitely sure, but as sure as that many samples allow: a share of 1 in
    n + 2 is taken to be wrong (Platt 1999).
    """
    if len(labels) == 0:
        return 1.0
    values = np.asarray(logits, dtype=np.float64)
    doubt = 1 / (len(labels) + 2)
    target = (1 - doubt) * values[np.arange(len(labels)), labels] + doubt * values.mean(axis=1)

    def loss(log_temperature: float) -> float:
        sharpness = np.exp(-log_temperature)
        return float(np.mean(logsumexp(values * sharpness, axis=1) - target * sharpness))

    # In the inverse temperature the loss is convex, so it has one valley in its logarithm.
    found = minimize_scalar(loss, bounds=(np.log(_COLDEST), np.log(_WARMEST)), method="bounded")
    return float(np.exp(found.x))
