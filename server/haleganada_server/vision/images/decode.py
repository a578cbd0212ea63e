"""Bytes of an image -> one gray channel in which the drawing is visible.

Transparent images are put on paper that contrasts with the drawing, EXIF rotations are applied, 16-bit and palette
images are converted to 8 bits, and equally bright colors are told apart by the channel in which they differ most.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from haleganada_server.core.errors import InvalidInput

from ..histogram import find_mode, share_near
from ..limits import ImageLimits
from .decoders import raise_if_machine_failed
from .header import CUT_OFF, FIELD, read_header
from .png_chunks import drop_ancillary_chunks
from .stripes import Gray, StripedImage

_DECODED_SIDE = 1024  # JPEGs are decoded at a reduced scale, but not below this
_EXIF_ORIENTATION = 0x0112
_ORIENTATION_KEYS = ("exif", "xmp", "XML:com.adobe.xmp")  # entries of Image.info that can hold an orientation
_MIN_SPAN = 96  # gray levels; if brightness spans less, a single color channel may show more

_TURNS: dict[int, Callable[[Gray], Gray]] = {
    2: lambda gray: gray[:, ::-1],
    3: lambda gray: gray[::-1, ::-1],
    4: lambda gray: gray[::-1],
    5: lambda gray: gray.T,
    6: lambda gray: np.rot90(gray, 3),
    7: lambda gray: gray[::-1, ::-1].T,
    8: lambda gray: np.rot90(gray),
}
"""What turns a picture upright, by the value of its orientation tag."""


def decode_gray(data: bytes, limits: ImageLimits, at_full_size: bool = False) -> Gray:
    """(height, width) uint8 gray values. at_full_size: do not reduce large JPEGs. Raises InvalidInput for anything that
    is not one whole, still picture.
    """
    if not data:
        raise InvalidInput(FIELD, "is empty; give a PNG, JPEG or WebP image")
    if len(data) > limits.max_bytes:
        raise InvalidInput(
            FIELD,
            f"has {len(data):,} bytes; at most {limits.max_bytes:,} are allowed, so send it smaller, or as a JPEG of "
            "lower quality",
        )
    header = read_header(data)
    if not header.width or not header.height:
        raise InvalidInput(FIELD, CUT_OFF)
    limits.check_header(header)
    if header.format == "PNG":
        data = drop_ancillary_chunks(data)
    try:
        with Image.open(io.BytesIO(data), formats=(header.format,)) as image:
            if sorted(image.size) != sorted((header.width, header.height)):  # two headers in one file: trust neither
                raise InvalidInput(FIELD, CUT_OFF)
            if not at_full_size:
                image.draft(image.mode, (_DECODED_SIDE, _DECODED_SIDE))
            limits.check_size(*image.size)  # a long photo is not reduced below its shorter side
            image.load()
            return np.ascontiguousarray(_find_turn(image)(_to_gray(image)))
    except InvalidInput:
        raise
    except Exception as error:  # decoders of damaged bytes raise nearly anything, and it always means the same
        raise_if_machine_failed(error)
        raise InvalidInput(FIELD, CUT_OFF) from None


def _find_turn(image: Image.Image) -> Callable[[Gray], Gray]:
    """Return what turns the image upright by the camera's orientation tag; a damaged tag is ignored."""
    orientation = None
    if any(key in image.info for key in _ORIENTATION_KEYS):
        try:
            orientation = image.getexif().get(_EXIF_ORIENTATION)
        except Exception as error:
            raise_if_machine_failed(error)
    return _TURNS.get(orientation, lambda gray: gray) if isinstance(orientation, int) else lambda gray: gray


def _to_gray(image: Image.Image) -> Gray:
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        return _to_8_bits(StripedImage(image))
    if image.mode in ("RGBA", "LA"):
        return _put_on_paper(StripedImage(image))
    if image.mode == "PA" or "transparency" in image.info:
        return _put_on_paper(StripedImage(image, "RGBA"))
    return _to_brightness(StripedImage(image))


def _to_8_bits(image: StripedImage) -> Gray:
    """16-bit grays -> 8 bits, by the number of bits that the values need: many files use 10 or 12 of the 16."""
    highest = max(int(np.asarray(stripe).max()) for stripe in image)
    surplus = max(0, highest.bit_length() - 8)
    return image.to_gray(lambda stripe: (np.asarray(stripe) >> surplus).astype(np.uint8))


def _to_brightness(image: StripedImage) -> Gray:
    """Return the luma; if that hardly varies, as with blue ink on black, the color channel that varies most.
    Transparency is ignored.
    """
    luma = image.to_gray(_to_luma)
    span = _measure_span(luma)
    if image.mode in ("1", "L", "LA") or span >= _MIN_SPAN:
        return luma
    spans = [_measure_span(image.to_gray(_pick_channel(name))) for name in "RGB"]
    if max(spans) <= 1.5 * span:
        return luma
    return image.to_gray(_pick_channel("RGB"[spans.index(max(spans))]))


def _to_luma(stripe: Image.Image) -> Image.Image:
    return stripe if stripe.mode == "L" else stripe.convert("L")


def _pick_channel(name: str) -> Callable[[Image.Image], Image.Image]:
    """Return what takes one of the channels R, G and B."""
    return lambda stripe: stripe.convert("RGB").getchannel(name)


def _measure_span(channel: Gray) -> int:
    return int(channel.max()) - int(channel.min())


def _put_on_paper(image: StripedImage) -> Gray:
    """Replace the transparent pixels of RGBA or LA by paper that contrasts with the drawing.

    Otherwise every drawing on a transparent canvas would become the same black square in RGB.
    """
    if all(_get_extrema(stripe.getchannel("A"))[0] == 255 for stripe in image):
        return _to_brightness(image)
    level = _choose_paper_level(image)

    def put(stripe: Image.Image) -> Image.Image:
        paper = Image.new("L", stripe.size, level)
        paper.paste(_to_luma(stripe), mask=stripe.getchannel("A"))
        return paper

    return image.to_gray(put)


def _choose_paper_level(image: StripedImage) -> int:
    """Return the gray level of the paper for a partly transparent picture."""
    # Dark throughout, as most canvases are: no need to count.
    if all(_get_extrema(_to_luma(stripe))[1] < 128 for stripe in image):
        return 255
    counts = np.sum([_to_luma(stripe).histogram(stripe.getchannel("A")) for stripe in image], axis=0)
    drawn = int(counts.sum())
    dark = int(counts[:128].sum())
    two_toned = 0.01 * drawn < dark < 0.99 * drawn
    if two_toned and drawn > 0.5 * image.pixels:  # a sheet of paper with a transparent border
        tone = find_mode(counts)
        return tone if share_near(counts, tone) > 0.5 else 255 * (dark < 0.5 * drawn)
    return 255 if dark >= 0.1 * drawn else 0  # light marks beside dark ink come from an eraser


def _get_extrema(channel: Image.Image) -> tuple[int, int]:
    low, high = channel.getextrema()
    return int(low), int(high)  # type: ignore[arg-type]
