"""Temperature scaling: one number that calibrates a network's confidence (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

_MIN, _MAX = 0.05, 20.0


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return what to divide the logits (n, classes) by to make the labels (n,) likeliest: 0.05..20; 1 if n is 0.

    A network that was right every time does not become infinitely confident, but as confident as that many samples
    justify: 1 in n + 2 counts as wrong (Platt 1999).
    """
    if len(labels) == 0:
        return 1.0
    values = np.asarray(logits, dtype=np.float64)
    smoothing = 1 / (len(labels) + 2)
    target = (1 - smoothing) * values[np.arange(len(labels)), labels] + smoothing * values.mean(axis=1)

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        return float(np.mean(logsumexp(values * inverse, axis=1) - target * inverse))

    # The loss is convex in the inverse temperature, so it has one minimum over its logarithm.
    found = minimize_scalar(loss, bounds=(np.log(_MIN), np.log(_MAX)), method="bounded")
    return float(np.exp(found.x))
