"""A PDF whose pages are pictures, written page by page: only its table of contents is in memory."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from .pictures import EncodedPicture

_CATALOG, _PAGES = 1, 2
# How a picture of each EXIF orientation is laid on a page of width 1 and height 1, as a PDF's matrix.
_ORIENTATIONS = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}


class PictureFile:
    """Use it as a context: the file is complete when that ends."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._offsets = {_CATALOG: 0, _PAGES: 0}
        self._pages: list[int] = []
        self._file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def __enter__(self) -> PictureFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if kind is None:
                self._finish()

    def add_page(self, picture: EncodedPicture, width: float, height: float) -> None:
        """Add a page of width x height points that the picture, upright, fills."""
        parameters = f" /DecodeParms {picture.parameters}" if picture.parameters else ""
        image = self._add_stream(
            f"/Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height} /ColorSpace "
            f"/Device{picture.color} /BitsPerComponent {picture.bits} /Filter /{picture.filter}{parameters}",
            picture.data,
        )
        a, b, c, d, e, f = _ORIENTATIONS[picture.orientation]
        matrix = (a * width, b * height, c * width, d * height, e * width, f * height)
        drawing = f"q {' '.join(f'{value:.3f}' for value in matrix)} cm /Im Do Q\n"
        content = self._add_stream("", drawing.encode())
        page = (
            f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {width:.3f} {height:.3f}] "
            f"/Resources << /XObject << /Im {image} 0 R >> >> /Contents {content} 0 R >>"
        )
        self._pages.append(self._add(page.encode()))

    def _add_stream(self, entries: str, data: bytes) -> int:
        head = f"<< {entries} /Length {len(data)} >>\nstream\n".encode()
        return self._add(head, data, b"\nendstream")

    def _add(self, *parts: bytes, number: int = 0) -> int:
        """Write an object, and return its number."""
        number = number or len(self._offsets) + 1
        self._offsets[number] = self._file.tell()
        self._file.writelines((f"{number} 0 obj\n".encode(), *parts, b"\nendobj\n"))
        return number

    def _finish(self) -> None:
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._add(f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>".encode(), number=_PAGES)
        self._add(f"<< /Type /Catalog /Pages {_PAGES} 0 R >>".encode(), number=_CATALOG)
        start, size = self._file.tell(), len(self._offsets) + 1
        self._file.write(f"xref\n0 {size}\n0000000000 65535 f \n".encode())
        self._file.writelines(f"{self._offsets[number]:010d} 00000 n \n".encode() for number in range(1, size))
        self._file.write(f"trailer\n<< /Size {size} /Root {_CATALOG} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
