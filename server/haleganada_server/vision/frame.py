"""Ink of any size -> the canonical raster: a square of 128 px in which the ink box's longest side takes 80 %, centred.

A dot stays a dot: what is filled and tiny on its canvas is drawn at a fifth of the square, so that “.” and “o” differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from haleganada_server.core.errors import InvalidInput

from .paper import BLANK

RASTER_SIDE = 128
INK_SIDE = 0.8 * RASTER_SIDE
DOT_SIDE = 0.2 * RASTER_SIDE
THINNEST_PEN = 3.5  # px of the raster; the embedder learned from 3 to 12

_INK = 64  # from this level on a pixel counts for the ink box
_DOT_CANVAS_SHARE = 0.12
_DOT_FILL = 0.55

Grey = NDArray[np.uint8]


def frame(ink: Grey) -> Grey:
    """(h, w) ink -> (128, 128) raster. Raises InvalidInput if there is no ink."""
    canvas = int(min(ink.shape))
    image = Image.fromarray(ink)
    box = image.point([0] * _INK + [255] * (256 - _INK)).getbbox()
    if box is None:
        raise InvalidInput("glyph.image", BLANK)
    image = image.crop(box)
    longest = max(image.size)
    fill = float(np.asarray(image, dtype=np.float32).mean() / 255)
    if longest <= _DOT_CANVAS_SHARE * canvas and fill >= _DOT_FILL and min(image.size) >= 0.5 * longest:
        return np.asarray(_placed(image, DOT_SIDE))
    return _thick_enough(_full_strength(_placed(_shrunk(image), INK_SIDE)))


def _shrunk(image: Image.Image) -> Image.Image:
    """Halve a large picture until it is near the raster's size; hair-thin lines by their maximum, which keeps them
    black.
    """
    ink = np.asarray(image)
    while max(ink.shape) > 2.5 * INK_SIDE:
        even = np.pad(ink, ((0, ink.shape[0] % 2), (0, ink.shape[1] % 2)))
        blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2)
        thin = pen_width(ink) * INK_SIDE / max(ink.shape) < THINNEST_PEN
        ink = blocks.max((1, 3)) if thin else blocks.mean((1, 3)).astype(np.uint8)
    return Image.fromarray(ink)


def _placed(image: Image.Image, side: float) -> Image.Image:
    """The picture scaled so that its longest side is `side`, in the centre of the square, to a fraction of a pixel."""
    scale = max(image.size) / side
    reach_x, reach_y = RASTER_SIDE * scale / 2, RASTER_SIDE * scale / 2
    margin = int(np.ceil(RASTER_SIDE * scale / 2)) + 1
    wide = Image.new("L", (image.width + 2 * margin, image.height + 2 * margin))
    wide.paste(image, (margin, margin))
    x, y = margin + image.width / 2, margin + image.height / 2
    box = (x - reach_x, y - reach_y, x + reach_x, y + reach_y)
    method = Image.Resampling.BICUBIC if scale < 1 else Image.Resampling.BOX if scale > 3 else Image.Resampling.HAMMING
    return wide.resize((RASTER_SIDE, RASTER_SIDE), method, box=box)


def _thick_enough(image: Image.Image) -> Grey:
    """Lines thinner than the embedder's thinnest pen, widened by a pixel on each side and smoothed."""
    if pen_width(np.asarray(image)) < THINNEST_PEN - 1:
        image = _full_strength(image.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.BoxBlur(0.4)))
    return np.asarray(image)


def _full_strength(image: Image.Image) -> Image.Image:
    """Faint ink brought to full strength."""
    peak = max(int(np.percentile(ink, 90)) if (ink := np.asarray(image)[np.asarray(image) > 0]).size else 255, 1)
    return image if peak >= 240 else image.point([min(255, value * 255 // peak) for value in range(256)])


def pen_width(ink: Grey) -> float:
    """Mean thickness of the lines in px: twice the area over the length of the outline. 0 without ink."""
    mask = ink > 0.4 * ink.max()
    area = int(np.count_nonzero(mask))
    outline = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    staircase = np.pi / 4  # of a pixel outline over the true one, the mean over all directions
    return 2 * area / (outline * staircase) if outline else 0.0
