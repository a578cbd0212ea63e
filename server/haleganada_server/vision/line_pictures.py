"""Pictures of lines: as data sets store them, and as recognizers see them, the same in training and in reading."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.ports import LARGE_PICTURE
from haleganada_server.core.models.card import LineInput

from .images.decode import decode_gray
from .images.header import count_pixels
from .images.turns import LARGE_PICTURE_TURNS
from .limits import DEFAULT_LIMITS

STORED_HEIGHT = 64
"""px that a stored line has at most."""

LONGEST = 3_200
"""px of a line as a recognizer sees it; longer ones, of which no text has any, are squeezed."""

_LONGEST_STORED = 4_096
_LEAST_CUT = 4  # px
_SHORTEST = 8  # px, to which speckles are stretched
_DARKEST, _PAPER = 1, 90  # percentiles of a line's gray values that become black and white
_LEAST_CONTRAST = 48  # gray levels between them, so that noise on an empty line does not become ink

GrayLine = NDArray[np.uint8]
"""(height, width), dark text on light ground."""


def decode_line(image: bytes | NDArray[np.uint8], cancellation: Cancellation = NEVER) -> tuple[GrayLine, int]:
    """The bytes of an image file, or (h, w) gray values, of one line -> the line as it is stored, and the number of
    pixels of the picture. Raises InvalidInput, Cancelled, DeadlineExceeded.
    """
    if isinstance(image, np.ndarray):
        DEFAULT_LIMITS.check_size(image.shape[1], image.shape[0])
        return shrink_line(image), image.size
    pixels = count_pixels(image)
    if pixels > LARGE_PICTURE:
        return LARGE_PICTURE_TURNS.take(lambda: shrink_line(decode_gray(image, DEFAULT_LIMITS)), cancellation), pixels
    return shrink_line(decode_gray(image, DEFAULT_LIMITS)), pixels


def shrink_line(gray: GrayLine) -> GrayLine:
    """Return a line with dark text, of 64 px in height or fewer. Raises InvalidInput if it is empty."""
    height, width = gray.shape
    low, high = int(gray.min()), int(gray.max())
    if low == high:
        raise InvalidInput("image", "has only one color; send the picture of a line")
    dark = np.asarray(gray if np.median(gray) >= (low + high) / 2 else 255 - gray, np.uint8)
    scale = min(1.0, STORED_HEIGHT / height)
    if round(width * scale) > _LONGEST_STORED:
        raise InvalidInput(
            "image", f"has {width} x {height} px, which is not a line; send each line as a picture of its own"
        )
    return dark if scale == 1 else _resize(dark, max(1, round(width * scale)), STORED_HEIGHT)


def decode_page(data: bytes) -> GrayLine:
    """Return the gray values of a page at its full size. Large ones are decoded one at a time. Raises InvalidInput."""
    return LARGE_PICTURE_TURNS.take(lambda: decode_gray(data, DEFAULT_LIMITS, at_full_size=True), NEVER)


def cut_polygon(page: GrayLine, outline: Sequence[tuple[float, float]]) -> GrayLine:
    """Return what lies in a polygon of a page, with paper around it. outline: in px. Raises InvalidInput unless that
    is at least 4 px high and wide.
    """
    height, width = page.shape
    points = np.asarray(outline, np.float64).reshape(-1, 2)
    if len(points) < 3 or not np.isfinite(points).all():
        raise InvalidInput("outline", "has fewer than three points; give the line a polygon or a box")
    left, top = np.clip(np.floor(points.min(0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(points.max(0)), 0, (width, height)).astype(int)
    if min(right - left, bottom - top) < _LEAST_CUT:
        raise InvalidInput("outline", "lies outside of the page's picture, or is too small; compare the file with it")
    cut = page[top:bottom, left:right].copy()
    mask = Image.new("1", (right - left, bottom - top))
    ImageDraw.Draw(mask).polygon([(float(x - left), float(y - top)) for x, y in points], fill=1)
    inside = np.asarray(mask)
    if inside.any():
        cut[~inside] = np.percentile(cut[inside], _PAPER)
    return np.asarray(cut, np.uint8)


def encode_line(gray: GrayLine) -> bytes:
    """Return a line as a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "PNG", compress_level=2)
    return buffer.getvalue()


def open_line(png: bytes) -> GrayLine:
    """Return what encode_line was given."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        return np.asarray(image.convert("L"))


def stretch_contrast(gray: GrayLine) -> GrayLine:
    """Return a line whose paper is white, and whose darkest ink is black."""
    dark, paper = (float(value) for value in np.percentile(gray, (_DARKEST, _PAPER)))
    span = max(paper - dark, _LEAST_CONTRAST)
    return np.asarray(np.clip((gray - (paper - span)) * (255 / span), 0, 255), np.uint8)


def make_line_input(gray: GrayLine, shape: LineInput) -> NDArray[np.float32]:
    """Return a line as a recognizer sees it: (height, width) in 0..1, 1 = paper. gray: of any size."""
    height, width = gray.shape
    fitted = max(_SHORTEST, round(width * shape.height / height * shape.stretch))
    resized = _resize(gray, min(fitted, shape.width or LONGEST), shape.height)
    line = stretch_contrast(resized).astype(np.float32) / 255
    if shape.width > line.shape[1]:
        line = np.pad(line, ((0, 0), (0, shape.width - line.shape[1])), constant_values=1.0)
    return np.asarray(line, np.float32)


def _resize(gray: GrayLine, width: int, height: int) -> GrayLine:
    image = Image.fromarray(np.ascontiguousarray(gray))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))  # an average where it is reduced
