"""Metrics of probabilities; numpy only, so that benchmarks can use them without the train extra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 15


def reliability_bins(
    confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS
) -> list[tuple[float, float, float]]:
    """Return (mean confidence, accuracy, share of answers) for each nonempty one of the equally wide bins."""
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    groups = [index == i for i in np.unique(index)]
    return [(float(confidence[g].mean()), float(correct[g].mean()), float(g.mean())) for g in groups]


def expected_calibration_error(confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS) -> float:
    """Return the mean distance between confidence and accuracy over equally wide bins (Naeini et al. 2015)."""
    return sum(share * abs(accuracy - mean) for mean, accuracy, share in reliability_bins(confidence, correct, bins))


def area_under_roc(positive: Floats, negative: Floats) -> float:
    """Return the probability that a positive scores above a negative; a tie counts half."""
    ordered = np.sort(negative)
    below, up_to = np.searchsorted(ordered, positive, "left"), np.searchsorted(ordered, positive, "right")
    return float((below + up_to).mean() / (2 * len(ordered)))
