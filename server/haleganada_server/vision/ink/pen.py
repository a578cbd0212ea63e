"""Measuring how thick the lines of a drawing are, and thickening hair-thin ones to what the embedder knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Gray = NDArray[np.uint8]

THINNEST_PEN = 3.5  # px of the raster; the embedder was trained on 3 to 12
_STRIPE = 2**20  # pixels that are measured at once, to need no more memory than a picture itself
_STAIRCASE = np.pi / 4  # true length over length in pixel steps, mean over all directions


def pen_width(ink: Gray) -> float:
    """Return the mean thickness of the lines in px: twice the area over the length of the outline. 0 without ink."""
    height, width = ink.shape
    rows, least = max(1, _STRIPE // width), 0.4 * ink.max()
    above = np.zeros(width + 2, dtype=np.bool_)
    area = outline = 0
    for top in range(0, height, rows):
        stripe = ink[top : top + rows]
        mask = np.zeros((len(stripe) + 1, width + 2), dtype=np.bool_)
        mask[0] = above
        np.greater(stripe, least, out=mask[1:, 1:-1])
        outline += int(np.count_nonzero(mask[1:] ^ mask[:-1]) + np.count_nonzero(mask[1:, 1:] ^ mask[1:, :-1]))
        area += int(np.count_nonzero(mask[1:]))
        above = mask[-1]
    outline += int(np.count_nonzero(above))
    return 2 * area / (outline * _STAIRCASE) if outline else 0.0


def thicken(doubled: Gray, missing: float) -> Gray:
    """(256, 256) raster at twice its size -> (128, 128) with lines `missing` px thicker, half of it on each side, and
    black even if scaling had made them pale.
    """
    ink = _strengthen(doubled)
    while missing >= 1:  # 1 px at the final size is 1 px on each side at twice the size
        ink = _grow(ink, 1.0)
        missing -= 1
    return np.asarray(Image.fromarray(_grow(ink, missing)).reduce(2))


def _grow(ink: Gray, by: float) -> Gray:
    """Thicken every line by up to 1 px on each side. by: 0..1, the share of the ink that the new rim gets."""
    wide = np.pad(ink, 1)
    rows = np.maximum(np.maximum(wide[:-2], wide[2:]), wide[1:-1])
    straight = np.maximum(np.maximum(rows[:, 1:-1], ink), np.maximum(wide[1:-1, :-2], wide[1:-1, 2:]))
    around = np.maximum(rows[:, :-2], rows[:, 2:])
    rim = np.maximum(straight, around // 2)  # half in the corners: a disc rather than a square
    return np.asarray(np.maximum(ink, (rim * np.float32(by)).astype(np.uint8)))


def _strengthen(ink: Gray) -> Gray:
    """Bring pale ink to full strength, and narrow the edges around half of the level that most lines reach."""
    drawn = ink[ink > 32]
    peak = float(np.percentile(drawn, 70)) if drawn.size else 255.0
    ramp = np.clip((np.arange(256) / peak - 0.25) * 2, 0, 1)
    return np.asarray((ramp * 255).astype(np.uint8)[ink])
