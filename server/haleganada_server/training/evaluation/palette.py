"""Colors of the pictures: dark ink on a light ground, one color for right and one for wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]

GROUND: Color = (255, 255, 255)
INK: Color = (28, 36, 46)
FAINT: Color = (112, 122, 134)
LINE: Color = (218, 224, 230)
RIGHT: Color = (38, 111, 173)
WRONG: Color = (196, 66, 52)


def tint(shares: NDArray[np.floating], color: Color) -> NDArray[np.uint8]:
    """Shares 0..1 of any shape (...) -> (..., 3), from the ground to the color. By the square root, so that small
    shares are seen too.
    """
    strength = np.sqrt(np.clip(shares, 0, 1))[..., None]
    return np.asarray(np.round(np.array(GROUND) * (1 - strength) + np.array(color) * strength), np.uint8)
