"""A reading that is being made, in a temporary folder."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from haleganada_server.core.clock import now_us
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.machine_errors import machine_errors
from haleganada_server.core.reading.codec import page_from_json, page_to_json
from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.reading import ReadingInfo
from haleganada_server.core.reading.taught.page import TaughtPage
from haleganada_server.store import files

from .description import DOCUMENT, READING_JSON, Description, name_taught_file, page_name, write_description
from .present import cut_beginning, join_beginnings
from .room import ReadingRoom


class ReadingFolderDraft:
    """core.reading.ports.ReadingDraft. add() is safe from any thread."""

    def __init__(
        self, folder: Path, room: ReadingRoom, retention_us: int, keep: Callable[[Path, ReadingInfo], None]
    ) -> None:
        """folder: a new one. keep: moves it into place."""
        self.folder = folder
        self._room, self._retention_us, self._keep = room, retention_us, keep
        self._adding = threading.Lock()
        self._sha256: dict[str, str] = {}
        self._size = 0
        self._beginnings: dict[int, str] = {}  # of the text of each page
        self._engines: set[str] = set()
        with machine_errors():
            folder.mkdir()

    @property
    def document(self) -> Path:
        return self.folder / DOCUMENT

    def count_document(self, size: int, sha256: str) -> None:
        """The document has been moved here, and its bytes are counted."""
        self._size += size
        self._sha256[DOCUMENT] = sha256

    def add(self, page: PageReading, taught: TaughtPage | None = None) -> None:
        if taught is not None:
            self._write(name_taught_file(page.page), taught.to_bytes())
        self._write(page_name(page.page), json.dumps(page_to_json(page), ensure_ascii=False).encode())
        self._note(page)

    def _write(self, name: str, data: bytes) -> None:
        self._room.take(len(data))
        with machine_errors():
            (self.folder / name).write_bytes(data)
        self._count(name, len(data), hashlib.sha256(data).hexdigest())

    def adopt(self) -> None:
        """Count what others have put into the folder. Raises Exhausted, and ValueError, KeyError or TypeError for a
        page that is not as codec.py has it.
        """
        self._room.take(self.document.stat().st_size)
        self.count_document(self.document.stat().st_size, file_sha256(self.document))
        for path in sorted(self.folder.glob("page-*.json")):
            data = path.read_bytes()
            self._room.take(len(data))
            self._count(path.name, len(data), hashlib.sha256(data).hexdigest())
            self._note(page_from_json(json.loads(data)))

    def finish(self, file_name: str, pages_total: int, workspace: str = "", owner: str = "") -> ReadingInfo:
        now = now_us()
        info = ReadingInfo(
            reading_id=secrets.token_hex(6),
            file_name=file_name,
            pages=tuple(sorted(self._beginnings)),
            pages_total=pages_total,
            excerpt=join_beginnings([text for _, text in sorted(self._beginnings.items())]),
            engines=tuple(sorted(self._engines)),
            create_us=now,
            expire_us=now + self._retention_us,
            size=self._size,
            workspace=workspace,
            owner=owner,
        )
        with machine_errors():
            write_description(self.folder, Description(info, self._sha256))
            for name in (*self._sha256, READING_JSON):
                files.sync_file(self.folder / name)
            files.sync_folder(self.folder)
            reach("reading.synced")
            self._keep(self.folder, info)
        self._size = 0  # which are the reading's now
        return info

    def discard(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._room.give_back(self._size)
        self._size = 0

    def _count(self, name: str, size: int, sha256: str) -> None:
        with self._adding:
            self._size += size
            self._sha256[name] = sha256

    def _note(self, page: PageReading) -> None:
        with self._adding:
            self._beginnings[page.page] = cut_beginning(page.text)
            self._engines.update(line.engine for line in page.lines if line.engine)
