"""Pictures as documents. A TIFF has as many pages as it has pictures; of anything animated, the first one counts."""

from __future__ import annotations

import contextlib
import mmap
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.limits import MAX_PAGES
from haleganada_server.core.reading.page import TextLine
from haleganada_server.vision.images.decoders import raise_if_machine_failed

from .faults import CUT_OFF, check_pixels, no_such_page, too_many_pages, too_many_pixels, unreadable, unreadable_page
from .pixels import to_rgb

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000")
"""As Pillow names them."""
_REDUCED = 1  # the bit of TIFF's NewSubfileType that marks a smaller copy of another picture
_SUBFILE_TYPE = 254
_MAX_SCANS = 100
"""Passes of a progressive JPEG, each over the whole picture. Cameras and browsers write about ten."""


class Pictures:
    """The pictures of one file."""

    def __init__(self, image: Image.Image) -> None:
        """image: is closed with the document."""
        self._image = image
        self._frames = _find_frames(image)
        self.pages_total = len(self._frames)

    @classmethod
    def open(cls, path: Path) -> Pictures | None:
        """Open a file; None if it is no picture."""
        with _decoding(CUT_OFF):
            try:
                image = Image.open(path, formats=FORMATS)
            except UnidentifiedImageError:
                return None
            except Image.DecompressionBombError:
                raise too_many_pixels(1) from None
        try:
            if image.format in ("JPEG", "MPO"):
                _check_scans(path)
            return cls(image)
        except BaseException:
            image.close()
            raise

    def draw(self, page: int) -> NDArray[np.uint8]:
        """Return a picture as a viewer shows it."""
        if not 1 <= page <= self.pages_total:
            raise no_such_page(page, self.pages_total)
        with _decoding(CUT_OFF, page):
            self._image.seek(self._frames[page - 1])
            check_pixels(page, *self._image.size)
            return to_rgb(self._image)

    def text_lines(self, page: int) -> list[TextLine]:
        """Return no lines: pictures have no text of their own."""
        if not 1 <= page <= self.pages_total:
            raise no_such_page(page, self.pages_total)
        return []

    def close(self) -> None:
        self._image.close()


def _find_frames(image: Image.Image) -> list[int]:
    """Return the frames of the file that are pages."""
    if image.format != "TIFF":
        return [0]
    frames = []
    with _decoding(CUT_OFF):
        for frame in range(MAX_PAGES + 1):
            try:
                image.seek(frame)
            except EOFError:
                break
            except Exception as error:  # a page that is cut off is told when it is drawn; those before it are sound
                raise_if_machine_failed(error)
                frames.append(frame)
                break
            if not image.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED:  # type: ignore[attr-defined]
                frames.append(frame)
    if len(frames) > MAX_PAGES:
        raise too_many_pages()
    return frames or [0]


def _check_scans(path: Path) -> None:
    """Raise Precondition for a JPEG whose passes would take minutes to decode."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, scans = data.find(b"\xff\xda"), 0
        while at >= 0:
            at, scans = data.find(b"\xff\xda", at + 2), scans + 1
            if scans > _MAX_SCANS:
                raise unreadable(f"has more than {_MAX_SCANS} progressive passes; save it as a plain JPEG")


@contextlib.contextmanager
def _decoding(fault: str, page: int | None = None) -> Iterator[None]:
    """Raise Precondition for whatever decoders raise about damaged bytes; pass on what the machine is to blame for."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and damaged tags: both are dealt with here
            yield
    except HaleganadaError:
        raise
    except Exception as error:
        raise_if_machine_failed(error)
        raise (unreadable(fault) if page is None else unreadable_page(page, fault)) from None
