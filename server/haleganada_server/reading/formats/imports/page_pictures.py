"""The document of an imported reading: the picture of its page as it was, or a TIFF with the pictures of all pages."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType

from PIL import TiffImagePlugin

from ..cutting import Picture, simplify
from .faults import too_large

_MOST = 2**32 - 2**28  # bytes of a TIFF, with room for one more page


class PagePictures:
    """Use it as a context. pages_total: how many pages will be added."""

    def __init__(self, path: Path, pages_total: int) -> None:
        self._path = path
        self._tiff = TiffImagePlugin.AppendingTiffWriter(str(path), new=True) if pages_total > 1 else None

    def __enter__(self) -> PagePictures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tiff is not None:
            self._tiff.close()

    def add(self, picture: Picture, file: Path | None = None) -> None:
        """Add the picture of the next page. file: where it comes from; None = it was made."""
        if self._tiff is not None:
            if self._path.stat().st_size > _MOST:
                raise too_large("has pages that take too much room together; split it")
            simplify(picture).save(self._tiff, format="TIFF", compression="tiff_adobe_deflate")
            self._tiff.newFrame()
        elif file is not None:
            shutil.copyfile(file, self._path)
        else:
            simplify(picture).save(self._path, format="PNG")
