"""Bytes of an image -> one grey channel, with everything that can hide a drawing out of the way.

Transparency is laid on paper that contrasts with what is drawn, EXIF turns are undone, 16-bit and palette images are
brought to 8 bits. Only PNG, JPEG and WebP are tried, and sizes are read from the header before any pixel is decoded.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from haleganada_server.core.errors import InvalidInput

from .limits import ImageLimits

FORMATS = ("PNG", "JPEG", "WEBP")
_FIELD = "glyph.image"
_DECODED_SIDE = 1024  # JPEGs are decoded at a reduced scale that is still above this


def decode_grey(data: bytes, limits: ImageLimits) -> NDArray[np.uint8]:
    """(height, width) uint8 grey values. Raises InvalidInput for anything that is not one whole, still picture."""
    if not data:
        raise InvalidInput(_FIELD, "is empty; send the bytes of a PNG, JPEG or WebP image")
    if len(data) > limits.max_bytes:
        raise InvalidInput(_FIELD, f"has {len(data)} bytes; at most {limits.max_bytes} are allowed, so send it smaller")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # max_pixels is the stricter check
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check(image, limits)
                image.draft("L", (_DECODED_SIDE, _DECODED_SIDE))
                return _grey(image)
    except InvalidInput:
        raise
    except UnidentifiedImageError:
        raise InvalidInput(_FIELD, "is not a PNG, JPEG or WebP image") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError, Image.DecompressionBombError) as error:
        problem = f"cannot be decoded, it may be cut off or damaged ({type(error).__name__})"
        raise InvalidInput(_FIELD, problem) from None


def _check(image: Image.Image, limits: ImageLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise InvalidInput(_FIELD, f"has {width} x {height} pixels; at most {limits.max_pixels} are allowed in all")
    if getattr(image, "n_frames", 1) > 1:
        raise InvalidInput(_FIELD, "is animated; send a single picture")


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    if image.getexif().get(0x0112, 1) != 1:  # the orientation tag; turning a large picture costs time
        image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "I;16", "I;16B", "F"):
        return _from_deep(np.asarray(image, dtype=np.float64))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return _on_paper(image.convert("RGBA"))
    return np.asarray(image.convert("L"))


def _from_deep(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """16-bit and float greys -> 8 bits, by the full range of the type that the values need."""
    top = 65535.0 if values.max() > 255 else 255.0
    return np.clip(values * (255.0 / top), 0, 255).astype(np.uint8)


def _on_paper(image: Image.Image) -> NDArray[np.uint8]:
    """Transparent pixels become paper: black under a light drawing, white under any other.

    Turning a transparent canvas to RGB without this makes every drawing the same black square.
    """
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return np.asarray(image.convert("L"))
    grey = image.convert("L")
    weight = np.asarray(alpha, dtype=np.float32)
    drawn = float(weight.sum())
    mean = float((np.asarray(grey) * weight).sum() / drawn) if drawn else 0.0
    paper = Image.new("L", image.size, 0 if mean > 127 else 255)
    paper.paste(grey, mask=alpha)
    return np.asarray(paper)
