"""Small questions to a histogram of gray levels, (256,) counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EVEN = 10  # gray levels by which even paper may vary
_TENT = np.array([1, 2, 3, 4, 5, 4, 3, 2, 1])


def commonest(counts: NDArray[np.integer]) -> int:
    """The level around which most pixels are."""
    return int(np.convolve(counts, _TENT, "same").argmax())


def band_share(counts: NDArray[np.integer], level: int) -> float:
    """The share, 0..1, of the pixels within EVEN of a level."""
    return float(counts[max(0, level - EVEN) : level + EVEN + 1].sum() / max(1, counts.sum()))
