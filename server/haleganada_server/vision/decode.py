"""Bytes of an image -> one gray channel in which the drawing is visible.

Transparent images are put on paper that contrasts with the drawing, EXIF rotations are applied, 16-bit and palette
images are converted to 8 bits, and equally bright colors are told apart by the channel in which they differ most.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.errors import InvalidInput

from .header import CUT_OFF, FIELD, read_header
from .histogram import find_mode, share_near
from .limits import ImageLimits

_DECODED_SIDE = 1024  # JPEGs are decoded at a reduced scale, but not below this
_EXIF_ORIENTATION = 0x0112
_ORIENTATION_KEYS = ("exif", "xmp", "XML:com.adobe.xmp")  # entries of Image.info that can hold an orientation
_MIN_SPAN = 96  # gray levels; if brightness spans less, a single color channel may show more

_Turn = Image.Transpose
_TURNS = {
    2: _Turn.FLIP_LEFT_RIGHT,
    3: _Turn.ROTATE_180,
    4: _Turn.FLIP_TOP_BOTTOM,
    5: _Turn.TRANSPOSE,
    6: _Turn.ROTATE_270,
    7: _Turn.TRANSVERSE,
    8: _Turn.ROTATE_90,
}


def decode_gray(data: bytes, limits: ImageLimits) -> NDArray[np.uint8]:
    """(height, width) uint8 gray values. Raises InvalidInput for anything that is not one whole, still picture."""
    if not data:
        raise InvalidInput(FIELD, "is empty; give a PNG, JPEG or WebP image")
    if len(data) > limits.max_bytes:
        raise InvalidInput(FIELD, f"has {len(data)} bytes; at most {limits.max_bytes} are allowed, so send it smaller")
    header = read_header(data)
    if not header.width or not header.height:
        raise InvalidInput(FIELD, CUT_OFF)
    if header.width * header.height > limits.max_pixels:
        size = f"{header.width} x {header.height} pixels"
        raise InvalidInput(FIELD, f"has {size}; at most {limits.max_pixels} are allowed in all, so send it smaller")
    try:
        with Image.open(io.BytesIO(data), formats=(header.format,)) as image:
            if image.size != (header.width, header.height):  # two headers in one file: do not trust either
                raise InvalidInput(FIELD, CUT_OFF)
            image.draft(image.mode, (_DECODED_SIDE, _DECODED_SIDE))
            return np.asarray(_to_gray(image))
    except InvalidInput:
        raise
    except Exception:  # decoders of damaged bytes raise nearly anything, and it always means the same
        raise InvalidInput(FIELD, CUT_OFF) from None


def _to_gray(image: Image.Image) -> Image.Image:
    image.load()
    if any(key in image.info for key in _ORIENTATION_KEYS):
        image = _apply_orientation(image)
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        return _to_8_bits(np.asarray(image))
    if image.mode in ("RGBA", "LA"):
        return _put_on_paper(image)
    if image.mode == "PA" or "transparency" in image.info:
        return _put_on_paper(image.convert("RGBA"))
    return _to_brightness(image)


def _apply_orientation(image: Image.Image) -> Image.Image:
    """Turn the image upright by the camera's orientation tag; a damaged tag is ignored."""
    try:
        turn = _TURNS.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return image
    return image if turn is None else image.transpose(turn)


def _to_8_bits(values: NDArray[np.integer]) -> Image.Image:
    """16-bit grays -> 8 bits, by the number of bits that the values need: many files use 10 or 12 of the 16."""
    surplus = max(0, int(values.max()).bit_length() - 8)
    return Image.fromarray((values >> surplus).astype(np.uint8))


def _to_brightness(image: Image.Image) -> Image.Image:
    """Return the luma; if that hardly varies, as with blue ink on black, the color channel that varies most.
    Transparency is ignored.
    """
    luma = image.convert("L")
    if image.mode in ("1", "L", "LA") or _measure_span(luma) >= _MIN_SPAN:
        return luma
    channels = image.convert("RGB").split()
    widest = max(channels, key=_measure_span)
    return widest if _measure_span(widest) > 1.5 * _measure_span(luma) else luma


def _measure_span(channel: Image.Image) -> int:
    low, high = channel.getextrema()
    return int(high) - int(low)  # type: ignore[arg-type]


def _put_on_paper(image: Image.Image) -> Image.Image:
    """Replace the transparent pixels of RGBA or LA by paper that contrasts with the drawing.

    Otherwise every drawing on a transparent canvas would become the same black square in RGB.
    """
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return _to_brightness(image)
    gray = image.convert("L")
    paper = Image.new("L", image.size, _choose_paper_level(gray, alpha))
    paper.paste(gray, mask=alpha)
    return paper


def _choose_paper_level(gray: Image.Image, alpha: Image.Image) -> int:
    """Return the gray level of the paper for a partly transparent picture."""
    if gray.getextrema()[1] < 128:  # type: ignore[operator]  # dark throughout, as most canvases are: no need to count
        return 255
    counts = np.array(gray.histogram(alpha))
    drawn = int(counts.sum())
    dark = int(counts[:128].sum())
    two_toned = 0.01 * drawn < dark < 0.99 * drawn
    if two_toned and drawn > 0.5 * gray.width * gray.height:  # a sheet of paper with a transparent border
        tone = find_mode(counts)
        return tone if share_near(counts, tone) > 0.5 else 255 * (dark < 0.5 * drawn)
    return 255 if dark >= 0.1 * drawn else 0  # light marks beside dark ink come from an eraser
