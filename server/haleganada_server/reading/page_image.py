"""Pictures of pages for people to look at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.reading.page import StepPicture

_QUALITY = 85


def encode_jpeg(picture: NDArray[np.uint8], max_side: int) -> tuple[int, int, bytes]:
    """Return width, height and a JPEG of a picture whose longer side has at most max_side px. picture: (height, width,
    3) RGB.
    """
    image = Image.fromarray(picture)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return image.width, image.height, buffer.getvalue()


def fit_pictures(pictures: Sequence[StepPicture], max_bytes: int) -> list[StepPicture]:
    """Halve the sides of the largest pictures until all together have at most max_bytes."""
    fitted = list(pictures)
    while fitted and sum(len(picture.image) for picture in fitted) > max_bytes:
        largest = max(range(len(fitted)), key=lambda i: len(fitted[i].image))
        smaller = _halve(fitted[largest].image)
        if len(smaller) >= len(fitted[largest].image):
            del fitted[largest]  # a few pixels already
        else:
            fitted[largest] = replace(fitted[largest], image=smaller)
    return fitted


def _halve(png: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.reduce(2).save(buffer, "PNG")
    return buffer.getvalue()
