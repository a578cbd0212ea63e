"""Kept readings that all servers of a database have: each lists them all, and fetches those that it opens.

What was read never changes, and is in the object store. Corrections are rows; the journals in a server's folders are
copies of them, which are brought up to date before they are used.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from haleganada_server.core.clock import now_us
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.errors import DataLoss, Exhausted, NotFound, RevisionMismatch, Unavailable
from haleganada_server.core.machine_errors import machine_errors
from haleganada_server.core.reading.corrections.corrections import JournalEntry
from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.ports import PresentText
from haleganada_server.core.reading.reading import ReadingInfo
from haleganada_server.store import files
from haleganada_server.store.postgres.connections import Connection
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import database_errors
from haleganada_server.store.readings.description import BROKEN_READING, READING_JSON, parse_description
from haleganada_server.store.readings.folders import ReadingFolders
from haleganada_server.store.readings.journal import append_line, encode_entry, find_journals, journal_name
from haleganada_server.store.readings.present import (
    cut_beginning,
    encode_present,
    is_up_to_date,
    load_present,
    parse_present,
)

from .catalog import Catalog, Entry
from .changes import changing

KIND = "readings"
_ADD = (
    "INSERT INTO corrections (reading_id, page, revision, line) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING "
    "RETURNING revision"
)
_LAST = "SELECT coalesce(max(revision), 0) FROM corrections WHERE reading_id = %s AND page = %s"
_LINES = "SELECT line FROM corrections WHERE reading_id = %s AND page = %s AND revision > %s ORDER BY revision"
_CORRECTED = "SELECT DISTINCT reading_id FROM corrections WHERE reading_id = ANY(%s)"
_TOUCH = (
    "UPDATE objects SET change = nextval('changes') WHERE kind = %s AND object_id = %s AND NOT deleted RETURNING change"
)
_FORGET = "DELETE FROM corrections WHERE reading_id = %s"
_FORGET_TEXTS = "DELETE FROM present_texts WHERE reading_id = %s"
_NOTE = (
    "INSERT INTO present_texts (reading_id, page, revision, content, change) "
    "VALUES (%s, %s, %s, %s, nextval('changes')) ON CONFLICT (reading_id, page) DO UPDATE SET "
    "revision = excluded.revision, content = excluded.content, change = excluded.change "
    "WHERE present_texts.revision <= excluded.revision AND present_texts.content <> excluded.content"
)
_NOTED = "SELECT reading_id, page, content, change FROM present_texts WHERE change > %s ORDER BY change"
_UP_TO_DATE = (
    "SELECT reading_id, page, content FROM present_texts p WHERE revision = (SELECT coalesce(max(c.revision), 0) "
    "FROM corrections c WHERE c.reading_id = p.reading_id AND c.page = p.page) ORDER BY reading_id, page"
)
_log = logging.getLogger(__name__)
Loaded = TypeVar("Loaded")
OnNoted = Callable[[str, str, int, PresentText], None]


class SharedReadings(ReadingFolders):
    """core.reading.ports.ReadingStore over the catalog of readings."""

    def __init__(
        self,
        root: Path,
        temporary_path: Callable[[], Path],
        retention_s: float,
        max_bytes: int | None,
        require_room: Callable[[int], None],
        database: Database,
        catalog: Catalog,
    ) -> None:
        """root to require_room: as for ReadingFolders. Makes the readings in root those of all servers."""
        super().__init__(root, temporary_path, retention_s, max_bytes, require_room)
        self._database, self._catalog = database, catalog
        self._following, self._fetching = threading.Lock(), threading.Lock()
        self._change = self._noted_change = 0
        self._on_noted: OnNoted = lambda _workspace, _reading_id, _page, _text: None
        self._entries: dict[str, Entry] = {}
        self._adopt()
        self.follow()

    def follow(self) -> None:
        """Learn which readings other servers have kept, corrected and deleted. Raises Unavailable."""
        with self._following:
            self._follow_readings()
            self._follow_texts()

    def _follow_readings(self) -> None:
        if changed := self._catalog.changed_after(self._change):
            with database_errors(KIND):
                found = self._database.fetch(_CORRECTED, ([entry.object_id for entry in changed],))
            corrected = {row[0] for row in found}
            for entry in changed:
                self._take(entry, entry.object_id in corrected)
                self._change = entry.change

    def _follow_texts(self) -> None:
        """Show what corrected pages say now, as other servers have noted."""
        with database_errors(KIND):
            found = self._database.fetch(_NOTED, (self._noted_change,))
        for reading_id, page, content, change in found:
            self._noted_change = change
            info = self._index.look().get(reading_id)
            try:
                text = parse_present(content)
            except (ValueError, KeyError, TypeError) as error:
                _log.warning("what the reading %s says now is damaged (%s); it is noted again", reading_id, error)
                continue
            if info is not None:
                if info.pages[:1] == (page,):  # whose beginning is, nearly always, that of the reading
                    self._index.show(reading_id, cut_beginning(text.beginning))
                self._on_noted(info.workspace, reading_id, page, text)

    def tell_noted(self, on_noted: OnNoted) -> None:
        self._on_noted = on_noted

    def note_present(self, reading_id: str, page: int, text: PresentText) -> None:
        super().note_present(reading_id, page, text)
        try:
            with changing(self._database, KIND) as connection:
                connection.execute(_NOTE, (reading_id, page, text.revision, encode_present(text)))
        except Unavailable as error:
            _log.info("what the reading %s says now is not noted for other servers: %s", reading_id, error.message)

    def present_texts(self, workspace: str) -> Iterator[tuple[str, int, PresentText]]:
        with database_errors(KIND):
            found = self._database.fetch(_UP_TO_DATE)
        known = self._index.look()
        for reading_id, page, content in found:
            info = known.get(reading_id)
            if info is not None and info.workspace == workspace:
                with suppress(ValueError, KeyError, TypeError):
                    yield reading_id, page, parse_present(content)

    def newest(
        self, after: str, limit: int, is_shown: Callable[[ReadingInfo], bool] = lambda _info: True
    ) -> list[ReadingInfo]:
        self.follow()
        return super().newest(after, limit, is_shown)

    def get(self, reading_id: str) -> ReadingInfo:
        try:
            return super().get(reading_id)
        except NotFound:
            self.follow()
            return super().get(reading_id)

    def folder(self, reading_id: str) -> Path:
        self._fetch(self.get(reading_id).reading_id)
        return super().folder(reading_id)

    def corrections(self, reading_id: str, page: int) -> list[JournalEntry]:
        self._fetch(self.get(reading_id).reading_id)
        self._catch_up(reading_id, page)
        return super().corrections(reading_id, page)

    def has_all_corrections(self, reading_id: str, page: int, revision: int) -> bool:
        with database_errors(KIND):
            ((last,),) = self._database.fetch(_LAST, (reading_id, page))
        return bool(last == revision)

    def append_correction(self, reading_id: str, page: int, entry: JournalEntry) -> None:
        line = encode_entry(entry)
        with changing(self._database, KIND) as connection:
            if connection.execute(_TOUCH, (KIND, reading_id)).fetchone() is None:
                raise NotFound("reading", reading_id)
            values = (reading_id, page, entry.revision, line.decode())
            (last,) = connection.execute(_LAST, (reading_id, page)).fetchone() or (0,)
            if last != entry.revision - 1:  # somebody was faster at another server
                raise RevisionMismatch(entry.revision - 1, last, "page")
            connection.execute(_ADD, values)
        reach("correction.shared")
        try:
            self._catch_up(reading_id, page)
        except (Exhausted, Unavailable, OSError) as error:  # the rows count; the copy is brought up to date later
            _log.warning("the reading %s: its journal here is behind: %s", reading_id, error)

    @contextmanager
    def hold_pages(self, reading_id: str, pages: Sequence[PageReading]) -> Iterator[Path]:
        self._fetch(self.get(reading_id).reading_id)
        with super().hold_pages(reading_id, pages) as folder:
            yield folder

    def delete(self, reading_id: str) -> None:
        self.get(reading_id)
        self._catalog.withdraw(reading_id)
        with database_errors(KIND):
            self._database.execute(_FORGET, (reading_id,))
            self._database.execute(_FORGET_TEXTS, (reading_id,))
        with suppress(NotFound):  # who follows other servers was faster
            self._remove(reading_id)

    def delete_expired(self) -> int:
        self.follow()
        now = now_us()
        expired = self._index.list_expired(now)
        for reading_id in expired:
            with suppress(NotFound):  # somebody else was faster
                self._catalog.withdraw(reading_id, partial(_require_uncorrected, reading_id))
                self._remove(reading_id, expired_at=now)
        return len(expired)

    # What is here

    def _put_in_place(self, folder: Path, info: ReadingInfo) -> None:
        with self._following:  # so that it is not taken for another server's
            self._catalog.publish(info.reading_id, folder, (folder / READING_JSON).read_text(encoding="utf-8"))
            super()._put_in_place(folder, info)

    def _load_page(self, reading_id: str, page: int, load: Callable[[Path, int], Loaded]) -> Loaded:
        self._fetch(self.get(reading_id).reading_id)
        return super()._load_page(reading_id, page, load)

    def _take(self, entry: Entry, is_corrected: bool) -> None:
        """Note what became of a reading."""
        reading_id = entry.object_id
        if entry.deleted:
            self._entries.pop(reading_id, None)
            with suppress(NotFound):
                self._remove(reading_id)
            return
        self._entries[reading_id] = entry
        if reading_id not in self._index.look():
            info = _describe(entry)
            self._room.count(info.size)
            self._index.put(info)
        if is_corrected:
            self._index.grow(reading_id, 0)  # which lets it never expire

    def _fetch(self, reading_id: str) -> None:
        """Let this server have the files of a reading. Raises DataLoss, Unavailable."""
        entry, target = self._entries.get(reading_id), self._root / reading_id
        if entry is None or target.is_dir():
            return
        with self._fetching:
            scratch = self._temporary_path()
            try:
                self._root.mkdir(exist_ok=True)
                self._catalog.fetch(entry, scratch, target)
                files.sync_folder(self._root)
            except DataLoss:
                self._index.mark_damaged(reading_id)
                raise
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def _catch_up(self, reading_id: str, page: int) -> None:
        """Bring the journal of a page here up to date. Raises Unavailable, Exhausted."""
        path = self._root / reading_id / journal_name(page)
        with self._noting:
            known = path.read_bytes().count(b"\n") if path.exists() else 0
            with database_errors(KIND):
                found = self._database.fetch(_LINES, (reading_id, page, known))
            for (line,) in found:
                data = line.encode()
                with machine_errors():
                    append_line(path, data)
                self._room.count(len(data))
                self._index.grow(reading_id, len(data))

    def _adopt(self) -> None:
        """Let all servers have the readings that this one had alone, with their corrections."""
        known = {entry.object_id for entry in self._catalog.changed_after(0)}
        for info in super().newest("", 1_000_000):
            if info.reading_id in known or info.damaged:
                continue
            folder = self._root / info.reading_id
            with changing(self._database, KIND) as connection:
                for path in find_journals(folder):
                    page = int(path.stem.removeprefix("page-"))
                    for revision, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), 1):
                        connection.execute(_ADD, (info.reading_id, page, revision, line))
                for page in info.pages:
                    with suppress(*BROKEN_READING):
                        if (text := load_present(folder, page)) is not None and is_up_to_date(folder, page, text):
                            connection.execute(_NOTE, (info.reading_id, page, text.revision, encode_present(text)))
            self._catalog.publish(info.reading_id, folder, (folder / READING_JSON).read_text(encoding="utf-8"))


def _require_uncorrected(reading_id: str, connection: Connection) -> None:
    """Raise NotFound if a reading has been corrected, and never expires."""
    if connection.execute(_CORRECTED, ([reading_id],)).fetchone() is not None:
        raise NotFound("reading", reading_id)


def _describe(entry: Entry) -> ReadingInfo:
    """Return what is known of a reading without its files; a damaged row says that."""
    try:
        return parse_description(entry.description, entry.object_id).info
    except (ValueError, KeyError, TypeError) as error:
        _log.error("the description of reading %s is damaged: %s", entry.object_id, error)
        return ReadingInfo(
            reading_id=entry.object_id,
            file_name="",
            pages=(),
            pages_total=0,
            excerpt="",
            engines=(),
            create_us=0,
            expire_us=None,
            size=sum(size for size, _ in entry.files.values()),
            damaged=True,
        )
