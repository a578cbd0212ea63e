"""Properties of a histogram of gray levels, (256,) counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EVEN_TOLERANCE = 10  # gray levels by which even paper may vary
_TENT = np.array([1, 2, 3, 4, 5, 4, 3, 2, 1])


def find_mode(counts: NDArray[np.integer]) -> int:
    """Return the level around which most pixels are."""
    return int(np.convolve(counts, _TENT, "same").argmax())


def share_near(counts: NDArray[np.integer], level: int) -> float:
    """Return the share, 0..1, of the pixels within EVEN_TOLERANCE of a level."""
    return float(counts[max(0, level - EVEN_TOLERANCE) : level + EVEN_TOLERANCE + 1].sum() / max(1, counts.sum()))
