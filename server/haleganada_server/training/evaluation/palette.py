"""Colors of the pictures: dark ink on a light background, one color for correct and one for wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]

BACKGROUND: Color = (255, 255, 255)
INK: Color = (28, 36, 46)
FAINT: Color = (112, 122, 134)
LINE: Color = (218, 224, 230)
CORRECT: Color = (38, 111, 173)
WRONG: Color = (196, 66, 52)


def tint(shares: NDArray[np.floating], color: Color) -> NDArray[np.uint8]:
    """Map shares 0..1 of shape (...) to colors (..., 3), from the background to the given color.

    The square root makes small shares visible.
    """
    strength = np.sqrt(np.clip(shares, 0, 1))[..., None]
    return np.asarray(np.round(np.array(BACKGROUND) * (1 - strength) + np.array(color) * strength), np.uint8)
