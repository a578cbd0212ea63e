"""Photos of paper: the light falls unevenly, the paper has grain, the drawing may be a small part of the picture.

The paper's brightness is estimated from the parts without ink, following shadows, and each pixel is divided by it:
a shadow weakens paper and ink alike (background division as in Gatos, Pratikakis and Perantonis, "Adaptive degraded
document image binarization", Pattern Recognition 39, 2006). Ink is what then departs from 1 by more than the grain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from haleganada_server.core.errors import InvalidInput

from .header import FIELD
from .specks import without_specks

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]

BLANK = "shows no drawing; draw something, with more contrast to the paper"
_WORK_SIDE = 512  # px of the longer side at which a photo is read; a closer look gets twice as many
_COARSE_SIDE = 48  # cells of the longer side for the paper's brightness
_LEAST_DEPARTURE = 0.2  # of the paper's brightness, for the strongest ink
_LEAST_PIXELS = 24
_DARKEST = 0.45  # of the brightest paper: darker paper is not made as bright as that
_REACH = 2.6  # lengths of a small drawing around its center for a closer look: a dot must still be small there
_SMALL = 0.15  # of the frame; a smaller drawing gets the closer look


def ink_of_photo(gray: Gray) -> Gray:
    """(h, w) gray -> ink 0..255 of the part that holds the drawing. Raises InvalidInput for a blank photo."""
    ink = _ink(_reduced(gray, _WORK_SIDE))
    closer = _closer(gray, ink)
    return ink if closer is None else _ink(_reduced(closer, 2 * _WORK_SIDE))


def _reduced(gray: Gray, side: int) -> Image.Image:
    factor = -(-max(gray.shape) // side)
    image = Image.fromarray(gray)
    return image.reduce(factor) if factor > 1 else image


def _closer(gray: Gray, ink: Gray) -> Gray | None:
    """The part of the photo around a small drawing, if the photo has more detail there; else None."""
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


def _ink(image: Image.Image) -> Gray:
    small = _coarse(image)
    if _ink_is_lighter(small):
        image, small = image.point(_INVERTED), 255 - small
    paper = np.asarray(Image.fromarray(_paper(small)).resize(image.size, Image.Resampling.BICUBIC))
    # In the darkest parts a few levels of noise are a large share of the little light there is.
    departure = (paper - np.asarray(image, dtype=np.float32)) / np.maximum(paper, _DARKEST * paper.max())
    return without_specks(_thresholded(departure))


_INVERTED = [255 - value for value in range(256)]


def _coarse(image: Image.Image) -> Floats:
    scale = _COARSE_SIDE / max(image.size)
    size = max(4, round(image.width * scale)), max(4, round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=np.float32)


def _ink_is_lighter(small: Floats) -> bool:
    """Whether light ink lies on dark paper: to which side cells depart from the median of half the picture around
    them. A shadow's edge departs as much to one side as to the other.
    """
    image = Image.fromarray(small.astype(np.uint8)).resize((24, 24), Image.Resampling.BOX)
    around = np.asarray(image.filter(ImageFilter.MedianFilter(13)), dtype=np.float32)
    wide = Image.fromarray(around).resize(small.shape[::-1], Image.Resampling.BILINEAR)
    away = small - np.asarray(wide)
    away[np.abs(away) < 8] = 0
    return bool((away[away > 0] ** 2).sum() > 1.5 * (away[away < 0] ** 2).sum())


def _paper(small: Floats) -> Floats:
    """(h, w) cells -> the brightness of the paper in each, dark ink left out and filled from around it."""
    image = Image.fromarray(small.astype(np.uint8))
    near = np.asarray(image.filter(ImageFilter.MedianFilter(7)), dtype=np.float32)
    wide = np.asarray(_wide_maximum(image), dtype=np.float32)
    near = np.where(near < 0.42 * wide, wide, near)  # a neighborhood full of ink is no shadow
    away = near - small
    grain = 1.4826 * float(np.median(np.abs(away))) + 1.0
    even = np.abs(away) < np.maximum(2 * grain, 0.06 * near)
    inked = Image.fromarray(np.where(even, 0, 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(3))
    is_paper = (np.asarray(inked) == 0).astype(np.float32)
    for radius in (8, 2):  # from around a dense drawing where there is no paper nearer
        weight = _blurred(is_paper, radius)
        near = np.where(weight > 0.15, _blurred(small * is_paper, radius) / np.maximum(weight, 1e-3), near)
    return near


def _wide_maximum(image: Image.Image) -> Image.Image:
    """The brightness of the brightest paper within about a quarter of the picture."""
    coarse = image.resize((16, 16), Image.Resampling.BOX).filter(ImageFilter.MaxFilter(5))
    return coarse.resize(image.size, Image.Resampling.BILINEAR)


def _blurred(values: Floats, radius: int) -> Floats:
    """The mean over squares of 2 * radius + 1 cells, cells beyond the rim counting as 0."""
    size = 2 * radius + 1
    wide = np.pad(values, ((radius + 1, radius), (radius + 1, radius))).cumsum(0).cumsum(1)
    sums = wide[size:, size:] - wide[:-size, size:] - wide[size:, :-size] + wide[:-size, :-size]
    return np.asarray(sums / np.float32(size * size))


def _thresholded(departure: Floats) -> Gray:
    """Shares of the paper's brightness -> soft ink. Raises InvalidInput if nothing rises above the grain.

    Ink is judged on means over 3 x 3 pixels: grain is as strong as pencil, but not connected.
    """
    smooth = _blurred(departure, 1)
    grain = _deviation(smooth)
    candidates = smooth[smooth > max(5 * grain, 0.06)]
    strongest = float(np.percentile(candidates, 90)) if candidates.size >= _LEAST_PIXELS else 0.0
    if strongest < max(_LEAST_DEPARTURE, 6 * grain):
        raise InvalidInput(FIELD, BLANK)
    if _deviation(departure) > 0.1 * strongest:
        departure = smooth
    low, high = max(0.25 * strongest, 3 * grain), 0.7 * strongest
    return np.asarray((np.clip((departure - low) / (high - low), 0, 1) * 255).astype(np.uint8))


def _deviation(values: Floats) -> float:
    """The standard deviation of the paper among paper and some ink."""
    some = values[::2, ::2]
    return 1.4826 * float(np.median(np.abs(some - np.median(some)))) + 0.003
