"""Readings on disk: DIR/readings/<id>/{document, page-00001.json …, reading.json}, and of what a workspace has read,
page-00001.taught …, page-00001.corrections …, page-00001.acknowledged … and page-00001.present ….

A reading is completed in DIR/tmp and renamed into place; afterwards, only its journals of corrections grow, and
what its pages say now is replaced. It is
deleted by renaming it away, so that it is complete or absent even after a kill.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

from haleganada_server.core.clock import now_us
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, NotFound
from haleganada_server.core.limits import MAX_STREAMED_DOCUMENT_BYTES
from haleganada_server.core.machine_errors import machine_errors, raise_machine_error
from haleganada_server.core.reading.corrections.corrections import JournalEntry
from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.ports import IncomingDocument, PresentText
from haleganada_server.core.reading.reading import ReadingInfo
from haleganada_server.core.reading.taught.page import TaughtPage
from haleganada_server.store import files

from .description import BROKEN_READING, require_intact_reading
from .draft import ReadingFolderDraft
from .incoming import IncomingFile
from .index import ReadingIndex
from .journal import ACKNOWLEDGED, JOURNAL, append_line, encode_entry, journal_name
from .page_files import copy_with_pages, load_corrections, load_page, load_taught_page
from .present import PRESENT, is_up_to_date, load_excerpt, load_present, present_name, write_present
from .room import ReadingRoom

_log = logging.getLogger(__name__)
Loaded = TypeVar("Loaded")


class ReadingFolders:
    """core.reading.ports.ReadingStore on a file system."""

    def __init__(
        self,
        root: Path,
        temporary_path: Callable[[], Path],
        retention_s: float,
        max_bytes: int | None = None,
        require_room: Callable[[int], None] = lambda _needed: None,
    ) -> None:
        """root: DIR/readings, created when it is needed. temporary_path: returns a new path on the same disk.
        retention_s: how long readings are kept. max_bytes: of all readings, and of documents on their way; None = no
        bound. require_room: raises Exhausted if the disk may not take so many bytes more.
        """
        self._root, self._temporary_path = root, temporary_path
        self._retention_us = round(retention_s * 1_000_000)
        self._room = ReadingRoom(max_bytes, require_room)
        self._index = ReadingIndex(root, self._retention_us, self._room)
        self._noting = threading.Lock()
        self._intact: dict[str, tuple[int, ...]] = {}  # id -> times and sizes of the files that were checked

    def quota_usage(self) -> tuple[int, int] | None:
        """Return the bytes that readings and documents on their way take, and may take; None without a bound."""
        return self._room.usage()

    def follow(self) -> None:
        """Learn what other servers have changed: there are none."""

    def receive(self, max_bytes: int = MAX_STREAMED_DOCUMENT_BYTES) -> IncomingFile:
        self._index.look()  # at what the quota counts
        return IncomingFile(self._temporary_path(), max_bytes, self._room)

    def begin(self, document: IncomingDocument | None = None) -> ReadingFolderDraft:
        self._index.look()  # at what the quota counts
        draft = ReadingFolderDraft(self._temporary_path(), self._room, self._retention_us, self._put_in_place)
        if document is not None:
            size = document.size
            document.move(draft.document)
            draft.count_document(size, document.sha256)
        return draft

    def newest(
        self, after: str, limit: int, is_shown: Callable[[ReadingInfo], bool] = lambda _info: True
    ) -> list[ReadingInfo]:
        return self._index.newest(after, limit, is_shown)

    def get(self, reading_id: str) -> ReadingInfo:
        return self._index.get(reading_id)

    def folder(self, reading_id: str) -> Path:
        folder = self._root / self.get(reading_id).reading_id
        try:
            state = _state_of(folder)
            if self._intact.get(reading_id) != state:  # a large document takes a second
                require_intact_reading(folder)
                self._intact[reading_id] = state
        except BROKEN_READING as error:
            self._raise_damaged(reading_id, error)
        return folder

    def page(self, reading_id: str, page: int) -> PageReading:
        return self._load_page(reading_id, page, load_page)

    def load_taught_page(self, reading_id: str, page: int) -> TaughtPage | None:
        return self._load_page(reading_id, page, load_taught_page)

    def corrections(self, reading_id: str, page: int) -> list[JournalEntry]:
        return self._load_page(reading_id, page, load_corrections)

    def has_all_corrections(self, reading_id: str, page: int, revision: int) -> bool:
        del reading_id, page, revision  # nobody else corrects pages here
        return True

    def append_correction(self, reading_id: str, page: int, entry: JournalEntry) -> None:
        line = encode_entry(entry)
        self._room.take(len(line))
        if not self._index.grow(reading_id, len(line)):
            self._room.give_back(len(line))
            raise NotFound("reading", reading_id)
        try:
            with machine_errors():
                append_line(self._root / reading_id / journal_name(page), line)
        except BaseException as error:
            if self._index.grow(reading_id, -len(line)):
                self._room.give_back(len(line))
            if isinstance(error, FileNotFoundError):
                self.get(reading_id)  # which may have been deleted meanwhile
            raise
        self.get(reading_id)

    def note_present(self, reading_id: str, page: int, text: PresentText) -> None:
        folder, scratch = self._root / reading_id, self._temporary_path()
        with self._noting:
            try:
                write_present(scratch, text)
                scratch.replace(folder / present_name(page))
                self._index.show(reading_id, load_excerpt(folder, self.get(reading_id).pages))
            except (*BROKEN_READING, NotFound) as error:  # whoever reads the page again notes it again
                _log.warning("what the reading %s says now is not noted (%s)", reading_id, error)
                scratch.unlink(missing_ok=True)

    def tell_noted(self, on_noted: Callable[[str, str, int, PresentText], None]) -> None:
        """See ReadingStore: there are no other servers."""

    def present_texts(self, workspace: str) -> Iterator[tuple[str, int, PresentText]]:
        for info in self._index.look().values():
            if info.workspace != workspace:
                continue
            for page in info.pages:
                folder = self._root / info.reading_id
                with suppress(*BROKEN_READING):
                    noted = load_present(folder, page)
                    if noted is not None and is_up_to_date(folder, page, noted):
                        yield info.reading_id, page, noted

    @contextmanager
    def hold_pages(self, reading_id: str, pages: Sequence[PageReading]) -> Iterator[Path]:
        folder, copy = self.folder(reading_id), self._temporary_path()
        try:
            with machine_errors():
                copy_with_pages(folder, copy, pages)
            yield copy
        except FileNotFoundError:
            self.get(reading_id)  # which may have been deleted meanwhile
            raise
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def delete(self, reading_id: str) -> None:
        self.get(reading_id)
        self._remove(reading_id)

    def delete_expired(self) -> int:
        now = now_us()
        expired = self._index.list_expired(now)
        for reading_id in expired:
            with suppress(NotFound):  # somebody else was faster
                self._remove(reading_id, expired_at=now)
        return len(expired)

    def _load_page(self, reading_id: str, page: int, load: Callable[[Path, int], Loaded]) -> Loaded:
        info = self.get(reading_id)
        if not info.damaged and page not in info.pages:
            raise NotFound("page", str(page), "the reading lists the pages that were read")
        try:
            return load(self._root / reading_id, page)
        except (*BROKEN_READING, BadZipFile) as error:
            self._raise_damaged(reading_id, error)
            raise

    def _put_in_place(self, folder: Path, info: ReadingInfo) -> None:
        self._root.mkdir(exist_ok=True)
        folder.replace(self._root / info.reading_id)
        reach("reading.renamed")
        files.sync_folder(self._root)
        self._index.put(info)

    def _remove(self, reading_id: str, expired_at: int | None = None) -> None:
        """Delete a reading, or only if it had expired at a time. Raises NotFound."""
        info = self._index.take_out(reading_id, expired_at)
        self._intact.pop(reading_id, None)
        try:
            with machine_errors():
                files.remove_folder(self._root / info.reading_id, self._temporary_path())
        except FileNotFoundError:
            pass  # it was removed by hand
        except BaseException:
            self._index.put(info)
            raise
        self._room.give_back(info.size)

    def _raise_damaged(self, reading_id: str, error: Exception) -> None:
        """Raise what to say about a reading whose files cannot be used: NotFound if it was deleted meanwhile."""
        self.get(reading_id)
        raise_machine_error(error)
        _log.error("the reading %s is damaged (%s)", reading_id, error)
        self._index.mark_damaged(reading_id)
        raise DataLoss(
            f"the files of the reading {reading_id} are damaged; delete it, and read the document again",
            Reason.READING_DAMAGED,
        ) from error


def _state_of(folder: Path) -> tuple[int, ...]:
    """Return a few numbers that change with the files of a folder, but for those that change."""
    found = [path.stat() for path in sorted(folder.iterdir()) if path.suffix not in (JOURNAL, ACKNOWLEDGED, PRESENT)]
    return tuple(number for stat in found for number in (stat.st_mtime_ns, stat.st_size))
