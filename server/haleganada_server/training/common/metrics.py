"""How far probabilities can be believed; numpy only, so that benchmarks can count by it without the train extra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 15


def reliability_bins(
    confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS
) -> list[tuple[float, float, float]]:
    """(mean confidence, share right, share of answers) of each of the equally wide bins that has any answer."""
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    groups = [index == i for i in np.unique(index)]
    return [(float(confidence[g].mean()), float(correct[g].mean()), float(g.mean())) for g in groups]


def expected_calibration_error(confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS) -> float:
    """Mean distance between confidence and accuracy over equally wide bins (Naeini et al. 2015)."""
    return sum(share * abs(right - told) for told, right, share in reliability_bins(confidence, correct, bins))


def area_under_roc(positive: Floats, negative: Floats) -> float:
    """Probability that a positive scores above a negative; a tie counts half."""
    ordered = np.sort(negative)
    below, up_to = np.searchsorted(ordered, positive, "left"), np.searchsorted(ordered, positive, "right")
    return float((below + up_to).mean() / (2 * len(ordered)))
