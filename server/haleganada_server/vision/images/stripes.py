"""Large images are converted a stripe at a time, so that a picture of 16 megapixels is in memory as it was decoded and
as one byte for each pixel, and not once more for each step between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Gray = NDArray[np.uint8]

_STRIPE = 2**20  # pixels; an image of up to as many is one stripe


class StripedImage:
    """A decoded image, in stripes from top to bottom."""

    def __init__(self, image: Image.Image, mode: str = "") -> None:
        """mode: the one to which each stripe is converted; "" = the image's own."""
        self.mode = mode or image.mode
        self.pixels = image.width * image.height
        self._image = image
        self._whole = self._convert(image) if self.pixels <= _STRIPE else None

    def __iter__(self) -> Iterator[Image.Image]:
        """Yield the stripes."""
        if self._whole is not None:
            yield self._whole
            return
        width, height = self._image.size
        rows = max(1, _STRIPE // width)
        for top in range(0, height, rows):
            yield self._convert(self._image.crop((0, top, width, min(height, top + rows))))

    def to_gray(self, convert: Callable[[Image.Image], Image.Image | Gray]) -> Gray:
        """(height, width) gray values. convert: makes those of one stripe, each pixel by itself."""
        if self._whole is not None:
            return np.asarray(convert(self._whole))
        gray, top = np.empty(self._image.size[::-1], np.uint8), 0
        for stripe in self:
            gray[top : top + stripe.height] = np.asarray(convert(stripe))
            top += stripe.height
        return gray

    def _convert(self, part: Image.Image) -> Image.Image:
        return part if part.mode == self.mode else part.convert(self.mode)
