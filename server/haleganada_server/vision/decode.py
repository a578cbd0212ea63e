"""Bytes of an image -> one gray channel, with everything that can hide a drawing out of the way.

Transparency is laid on paper that contrasts with what is drawn, EXIF turns are undone, 16-bit and palette images are
brought to 8 bits, and colors that are equally bright are told apart by the channel in which they differ most.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.errors import InvalidInput

from .header import CUT_OFF, FIELD, read_header
from .limits import ImageLimits
from .tones import band_share, commonest

_DECODED_SIDE = 1024  # JPEGs are decoded at a reduced scale that is still above this
_EXIF_ORIENTATION = 0x0112
_TURNED_BY = ("exif", "xmp", "XML:com.adobe.xmp")  # entries of Image.info that can hold an orientation
_WEAK = 96  # gray levels; below this span of brightness a single color channel may show more

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
            return np.asarray(_gray(image))
    except InvalidInput:
        raise
    except Exception:  # decoders of damaged bytes raise nearly anything, and it always means the same
        raise InvalidInput(FIELD, CUT_OFF) from None


def _gray(image: Image.Image) -> Image.Image:
    image.load()
    if any(key in image.info for key in _TURNED_BY):
        image = _turned(image)
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        return _from_deep(np.asarray(image))
    if image.mode in ("RGBA", "LA"):
        return _on_paper(image)
    if image.mode == "PA" or "transparency" in image.info:
        return _on_paper(image.convert("RGBA"))
    return _brightness(image)


def _turned(image: Image.Image) -> Image.Image:
    """Upright, as the camera's orientation tag says; a damaged tag is as good as none."""
    try:
        turn = _TURNS.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return image
    return image if turn is None else image.transpose(turn)


def _from_deep(values: NDArray[np.integer]) -> Image.Image:
    """16-bit grays -> 8 bits, by the number of bits that the values need: many files hold 10 or 12 of the 16."""
    surplus = max(0, int(values.max()).bit_length() - 8)
    return Image.fromarray((values >> surplus).astype(np.uint8))


def _brightness(image: Image.Image) -> Image.Image:
    """The luma, or where that hardly varies, the color channel that varies most (blue ink on black, say); without
    the transparency.
    """
    luma = image.convert("L")
    if image.mode in ("1", "L", "LA") or _span(luma) >= _WEAK:
        return luma
    channels = image.convert("RGB").split()
    widest = max(channels, key=_span)
    return widest if _span(widest) > 1.5 * _span(luma) else luma


def _span(channel: Image.Image) -> int:
    low, high = channel.getextrema()
    return int(high) - int(low)  # type: ignore[arg-type]


def _on_paper(image: Image.Image) -> Image.Image:
    """RGBA or LA with the transparent pixels turned to paper that contrasts with what is drawn.

    Turning a transparent canvas to RGB without this makes every drawing the same black square.
    """
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return _brightness(image)
    gray = image.convert("L")
    paper = Image.new("L", image.size, _paper_below(gray, alpha))
    paper.paste(gray, mask=alpha)
    return paper


def _paper_below(gray: Image.Image, alpha: Image.Image) -> int:
    """The gray level of the paper for a picture of which parts are transparent."""
    if gray.getextrema()[1] < 128:  # type: ignore[operator]  # dark throughout, as most canvases: no need to count
        return 255
    counts = np.array(gray.histogram(alpha))
    drawn = int(counts.sum())
    dark = int(counts[:128].sum())
    two_toned = 0.01 * drawn < dark < 0.99 * drawn
    if two_toned and drawn > 0.5 * gray.width * gray.height:  # a sheet of paper with a transparent rim
        tone = commonest(counts)
        return tone if band_share(counts, tone) > 0.5 else 255 * (dark < 0.5 * drawn)
    return 255 if dark >= 0.1 * drawn else 0  # light marks beside dark ink are an eraser's
