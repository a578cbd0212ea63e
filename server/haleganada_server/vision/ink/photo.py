"""Photos of paper: the light is uneven, the paper has grain, and the drawing may be a small part of the picture.

The paper's brightness is estimated from the parts without ink, shadows included, and each pixel is divided by it: a
shadow weakens paper and ink alike (background division as in Gatos, Pratikakis and Perantonis, "Adaptive degraded
document image binarization", Pattern Recognition 39, 2006). Ink is what then departs from 1 by more than the grain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from haleganada_server.core.errors import InvalidInput

from ..images.header import FIELD
from .specks import remove_specks

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]

BLANK = "shows no drawing; draw something, with more contrast to the paper"
TOO_SMALL = "shows no drawing, or one that is too small to be found; crop closer"
_WORK_SIDE = 512  # px of the longer side at which a photo is processed; twice as many for a crop
_COARSE_SIDE = 48  # cells of the longer side, for the paper's brightness
_MIN_DEPARTURE = 0.2  # of the paper's brightness, for the strongest ink
_MIN_PIXELS = 24
_MIN_PAPER = 0.45  # of the brightest paper: darker paper is not made as bright as that
_REACH = 2.6  # half the side of the crop, in lengths of the drawing: a dot must still be small in it
_SMALL = 0.15  # of the frame; smaller drawings are cropped


def find_ink_in_photo(gray: Gray) -> Gray:
    """(h, w) gray -> ink 0..255 of the part with the drawing. Raises InvalidInput for a blank photo."""
    ink = _find_anywhere(gray)
    crop = _crop_small_drawing(gray, ink)
    return ink if crop is None else _extract_ink(_reduce(crop, 2 * _WORK_SIDE))


def _find_anywhere(gray: Gray) -> Gray:
    """Return the ink of the whole photo; if none is visible, look closer, since means erase what is small."""
    side = _WORK_SIDE
    while True:
        try:
            return _extract_ink(_reduce(gray, side))
        except InvalidInput:
            if max(gray.shape) <= _WORK_SIDE:
                raise
            if side >= min(4 * _WORK_SIDE, max(gray.shape)):
                raise InvalidInput(FIELD, TOO_SMALL) from None
            side *= 2


def _reduce(gray: Gray, side: int) -> Image.Image:
    factor = -(-max(gray.shape) // side)
    image = Image.fromarray(gray)
    return image.reduce(factor) if factor > 1 else image


def _crop_small_drawing(gray: Gray, ink: Gray) -> Gray | None:
    """Return the part of the photo around a small drawing, if the photo has more detail there; else None."""
    factor = max(gray.shape) / max(ink.shape)
    rows, columns = np.flatnonzero((ink > 127).any(1)), np.flatnonzero((ink > 127).any(0))
    if factor < 1.5 or not rows.size:
        return None
    extent = int(max(rows[-1] - rows[0], columns[-1] - columns[0])) + 1
    if extent > _SMALL * max(ink.shape):
        return None
    reach = _REACH * extent
    row, column = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
    top, left = (max(0, int((center - reach) * factor)) for center in (row, column))
    return gray[top : int((row + reach) * factor) + 1, left : int((column + reach) * factor) + 1]


def _extract_ink(image: Image.Image) -> Gray:
    small = _to_cells(image)
    if _ink_is_lighter(small):
        image, small = image.point(_INVERTED), 255 - small
    paper = np.asarray(Image.fromarray(_estimate_paper(small)).resize(image.size, Image.Resampling.BICUBIC))
    # In the darkest parts a few levels of noise are a large share of the little light there is.
    departure = (paper - np.asarray(image, dtype=np.float32)) / np.maximum(paper, _MIN_PAPER * paper.max())
    return remove_specks(_threshold(departure))


_INVERTED = [255 - value for value in range(256)]


def _to_cells(image: Image.Image) -> Floats:
    scale = _COARSE_SIDE / max(image.size)
    size = max(4, round(image.width * scale)), max(4, round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=np.float32)


def _ink_is_lighter(small: Floats) -> bool:
    """Return whether light ink is on dark paper, by the side to which cells depart from the median of half the picture
    around them. A shadow's edge departs to both sides alike.
    """
    image = Image.fromarray(small.astype(np.uint8)).resize((24, 24), Image.Resampling.BOX)
    around = np.asarray(image.filter(ImageFilter.MedianFilter(13)), dtype=np.float32)
    wide = Image.fromarray(around).resize(small.shape[::-1], Image.Resampling.BILINEAR)
    away = small - np.asarray(wide)
    away[np.abs(away) < 8] = 0
    return bool((away[away > 0] ** 2).sum() > 1.5 * (away[away < 0] ** 2).sum())


def _estimate_paper(small: Floats) -> Floats:
    """(h, w) cells -> the brightness of the paper in each; where there is dark ink, from the paper around it."""
    image = Image.fromarray(small.astype(np.uint8))
    near = np.asarray(image.filter(ImageFilter.MedianFilter(7)), dtype=np.float32)
    wide = np.asarray(_local_maximum(image), dtype=np.float32)
    near = np.where(near < 0.42 * wide, wide, near)  # a neighborhood full of ink, not a shadow
    away = near - small
    grain = 1.4826 * float(np.median(np.abs(away))) + 1.0
    even = np.abs(away) < np.maximum(2 * grain, 0.06 * near)
    inked = Image.fromarray(np.where(even, 0, 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(3))
    is_paper = (np.asarray(inked) == 0).astype(np.float32)
    for radius in (8, 2):  # the wide one reaches across a dense drawing
        weight = _box_blur(is_paper, radius)
        near = np.where(weight > 0.15, _box_blur(small * is_paper, radius) / np.maximum(weight, 1e-3), near)
    return near


def _local_maximum(image: Image.Image) -> Image.Image:
    """Return the brightness of the brightest paper within about a quarter of the picture."""
    coarse = image.resize((16, 16), Image.Resampling.BOX).filter(ImageFilter.MaxFilter(5))
    return coarse.resize(image.size, Image.Resampling.BILINEAR)


def _box_blur(values: Floats, radius: int) -> Floats:
    """Return the mean over squares of 2 * radius + 1 cells; cells beyond the border count as 0."""
    size = 2 * radius + 1
    wide = np.pad(values, ((radius + 1, radius), (radius + 1, radius))).cumsum(0).cumsum(1)
    sums = wide[size:, size:] - wide[:-size, size:] - wide[size:, :-size] + wide[:-size, :-size]
    return np.asarray(sums / np.float32(size * size))


def _threshold(departure: Floats) -> Gray:
    """Departures, as shares of the paper's brightness -> soft ink. Raises InvalidInput if nothing exceeds the grain.

    Ink is judged by means over 3 x 3 pixels: grain is as strong as pencil, but not connected.
    """
    smooth = _box_blur(departure, 1)
    grain = _robust_deviation(smooth)
    candidates = smooth[smooth > max(5 * grain, 0.06)]
    strongest = float(np.percentile(candidates, 90)) if candidates.size >= _MIN_PIXELS else 0.0
    if strongest < max(_MIN_DEPARTURE, 6 * grain):
        raise InvalidInput(FIELD, BLANK)
    if _robust_deviation(departure) > 0.1 * strongest:
        departure = smooth
    low, high = max(0.25 * strongest, 3 * grain), 0.7 * strongest
    return np.asarray((np.clip((departure - low) / (high - low), 0, 1) * 255).astype(np.uint8))


def _robust_deviation(values: Floats) -> float:
    """Return the standard deviation of the paper, given paper and some ink."""
    some = values[::2, ::2]
    return 1.4826 * float(np.median(np.abs(some - np.median(some)))) + 0.003
