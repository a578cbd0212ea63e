"""Colours of the pictures: dark ink on a light ground, one colour for right and one for wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

GROUND: Colour = (255, 255, 255)
INK: Colour = (28, 36, 46)
FAINT: Colour = (112, 122, 134)
LINE: Colour = (218, 224, 230)
RIGHT: Colour = (38, 111, 173)
WRONG: Colour = (196, 66, 52)


def tint(shares: NDArray[np.floating], colour: Colour) -> NDArray[np.uint8]:
    """Shares 0..1 of any shape (...) -> (..., 3), from the ground to the colour. By the square root, so that small
    shares are seen too.
    """
    strength = np.sqrt(np.clip(shares, 0, 1))[..., None]
    return np.asarray(np.round(np.array(GROUND) * (1 - strength) + np.array(colour) * strength), np.uint8)
