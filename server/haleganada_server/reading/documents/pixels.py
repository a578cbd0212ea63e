"""A decoded picture of any kind -> 8-bit RGB, turned as its camera says, on white paper where it is transparent.

Large pictures are converted a stripe at a time into the array that is returned, so that a page is in memory as it was
decoded and once more, and not for each step between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.vision.images.decoders import raise_if_machine_failed
from haleganada_server.vision.images.stripes import StripedImage

Pixels = NDArray[np.uint8]
_ORIENTATION = 0x0112
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")

_UNTURN: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda page: page[:, ::-1],
    3: lambda page: page[::-1, ::-1],
    4: lambda page: page[::-1],
    5: lambda page: page.transpose(1, 0, 2),
    6: lambda page: np.rot90(page),
    7: lambda page: page.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda page: np.rot90(page, 3),
}
"""The view of an upright page whose rows are those of the file, by the value of the orientation tag."""


def to_rgb(image: Image.Image) -> Pixels:
    """(height, width, 3) uint8. Loads the image; raises what Pillow raises for damaged ones."""
    image.load()
    orientation = _read_orientation(image)
    width, height = image.size
    page = np.empty((width, height, 3) if orientation >= 5 else (height, width, 3), np.uint8)
    rows = _UNTURN[orientation](page) if orientation in _UNTURN else page
    convert, mode = _choose_conversion(image)
    top = 0
    for stripe in StripedImage(image, mode):
        rows[top : top + stripe.height] = convert(stripe)
        top += stripe.height
    return page


def _read_orientation(image: Image.Image) -> int:
    """Return the camera's tag, 1 if there is none; a damaged one is ignored."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception as error:
        raise_if_machine_failed(error)
        return 1
    return orientation if orientation in _UNTURN else 1


def _choose_conversion(image: Image.Image) -> tuple[Callable[[Image.Image], Pixels], str]:
    """Return what makes RGB, or gray that is repeated, of a stripe, and the mode in which it wants the stripe."""
    if image.mode in _DEEP:
        low, high = _find_range(image)
        return lambda stripe: _scale(np.asarray(stripe), low, high), ""
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        return _put_on_paper, "RGBA"
    return lambda stripe: np.asarray(stripe), "RGB"


def _put_on_paper(stripe: Image.Image) -> Pixels:
    paper = Image.new("RGB", stripe.size, "white")
    paper.paste(stripe.convert("RGB"), mask=stripe.getchannel("A"))
    return np.asarray(paper)


def _find_range(image: Image.Image) -> tuple[float, float]:
    """Return the values that become black and white.

    Whole numbers use as many bits as the largest of them needs: many files use 10 or 12 of 16. Fractions are taken
    for 0 to 1, 0 to 255, or whatever they span. Values that are not finite do not count.
    """
    low, high = np.inf, -np.inf
    for stripe in StripedImage(image):
        values = np.asarray(stripe)
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if high < low:
        return 0.0, 1.0
    if image.mode == "F":
        return next(((0.0, top) for top in (1.0, 255.0) if low >= 0 and high <= top), (low, high))
    return 0.0, float((1 << max(8, int(high).bit_length())) - 1) if high > 0 else 1.0


def _scale(values: NDArray[Any], low: float, high: float) -> Pixels:
    """(height, width, 1) uint8; what is no number becomes white."""
    fractions = (values.astype(np.float32) - low) / max(high - low, 1e-30)
    fractions = np.clip(np.nan_to_num(fractions, nan=1.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    return np.asarray(np.rint(fractions * 255)[:, :, None], np.uint8)
