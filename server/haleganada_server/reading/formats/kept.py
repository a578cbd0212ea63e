"""A reading as it is kept on disk: its document, and one file for each of its pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.reading.codec import page_from_json, page_to_json
from haleganada_server.core.reading.page import PageReading

DOCUMENT = "document"
_UNNAMED = "document"


@dataclass(frozen=True)
class KeptReading:
    """folder: where its files are. file_name: of its document as the client named it, "" = not given."""

    folder: Path
    file_name: str

    @property
    def document(self) -> Path:
        return self.folder / DOCUMENT

    @property
    def name(self) -> str:
        """The name of the document for people, never empty and without folders."""
        name = PurePosixPath(self.file_name.replace("\\", "/")).name
        return _UNNAMED if name in ("", "..") else name

    @property
    def stem(self) -> str:
        """The name of the document without its extension."""
        return PurePosixPath(self.name).stem

    @property
    def page_files(self) -> list[Path]:
        """The files of the pages, in the order of their numbers."""
        return sorted(self.folder.glob("page-*.json"), key=lambda path: int(path.stem.removeprefix("page-")))

    @property
    def created(self) -> str:
        """When the reading was made, in UTC, as XML writes it."""
        file = next(iter(self.page_files), self.document)
        return datetime.fromtimestamp(int(file.stat().st_mtime), timezone.utc).isoformat()

    def pages(self) -> Iterator[PageReading]:
        """Yield the pages, one in memory at a time. Raises DataLoss."""
        for path in self.page_files:
            try:
                yield page_from_json(json.loads(path.read_bytes()))
            except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
                raise DataLoss(
                    "the files of this reading are damaged; delete it, and read the document again",
                    Reason.READING_DAMAGED,
                ) from error


def write_page(folder: Path, page: PageReading) -> None:
    """Put a page into the folder of a reading."""
    fields = json.dumps(page_to_json(page), ensure_ascii=False)
    (folder / f"page-{page.page:05d}.json").write_text(fields, encoding="utf-8", errors="replace")
