"""What is known of all readings without opening them: the disk is looked at once, and every change is noted."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.clock import now_us
from haleganada_server.core.machine_errors import raise_machine_error
from haleganada_server.core.reading.reading import ReadingInfo, reading_not_found
from haleganada_server.store.quota import disk_usage

from .description import BROKEN_READING, load_description
from .journal import find_journals, is_corrected
from .present import has_present_text, load_excerpt
from .room import ReadingRoom

_log = logging.getLogger(__name__)
_ID = re.compile("[0-9a-f]{12}")


class ReadingIndex:
    """Safe from any thread."""

    def __init__(self, root: Path, retention_us: int, room: ReadingRoom) -> None:
        """root: the folder of all readings, which may not exist yet. retention_us: how long one is kept of which the
        description is damaged. room: is told how much there is.
        """
        self._root, self._retention_us, self._room = root, retention_us, room
        self._lock = threading.Lock()
        self._found: dict[str, ReadingInfo] = {}  # by id
        self._has_looked = False

    def look(self) -> dict[str, ReadingInfo]:
        """Return what is known of all readings, by id; look at the disk the first time."""
        with self._lock:
            if not self._has_looked:
                folders = [path for path in self._root.glob("*") if _ID.fullmatch(path.name) and path.is_dir()]
                self._found = {folder.name: self._load(folder) for folder in folders}
                self._room.count(sum(info.size for info in self._found.values()))
                self._has_looked = True
            return dict(self._found)

    def newest(
        self, after: str, limit: int, is_shown: Callable[[ReadingInfo], bool] = lambda _info: True
    ) -> list[ReadingInfo]:
        """Return at most limit readings, the newest first. after: the position of the last one of the page before.
        is_shown: returns whether one counts.
        """
        now = now_us()
        newest = sorted(filter(is_shown, self.look().values()), key=lambda info: info.position, reverse=True)
        return [info for info in newest if not _is_over(info, now) and (not after or info.position < after)][:limit]

    def get(self, reading_id: str) -> ReadingInfo:
        """Raises NotFound, also for a reading whose time is over."""
        info = self.look().get(reading_id)
        if info is None or _is_over(info, now_us()):
            raise reading_not_found(reading_id)
        return info

    def list_expired(self, now: int) -> list[str]:
        """Return the ids of readings whose time is over. now: in µs since 1970."""
        return [info.reading_id for info in self.look().values() if _is_over(info, now)]

    def put(self, info: ReadingInfo) -> None:
        """Note a reading that is in its place now."""
        with self._lock:
            self._found[info.reading_id] = info

    def take_out(self, reading_id: str, expired_at: int | None = None) -> ReadingInfo:
        """Forget a reading, or only if it had expired at a time, in µs since 1970; return it. Raises NotFound."""
        with self._lock:
            info = self._found.get(reading_id)
            if info is None or (expired_at is not None and not _is_over(info, expired_at)):
                raise reading_not_found(reading_id)
            return self._found.pop(reading_id)

    def grow(self, reading_id: str, size: int) -> bool:
        """Count bytes of a journal, and let the reading never expire; return whether it is still there."""
        with self._lock:
            info = self._found.get(reading_id)
            if info is not None:
                self._found[reading_id] = replace(info, size=info.size + size, expire_us=None)
            return info is not None

    def show(self, reading_id: str, excerpt: str) -> None:
        """Note how a reading begins now, unless it was deleted meanwhile."""
        with self._lock:
            info = self._found.get(reading_id)
            if info is not None:
                self._found[reading_id] = replace(info, excerpt=excerpt)

    def mark_damaged(self, reading_id: str) -> None:
        """Note that files of a reading cannot be used, unless it was deleted meanwhile."""
        with self._lock:
            info = self._found.get(reading_id)
            if info is not None:
                self._found[reading_id] = replace(info, damaged=True)

    def _load(self, folder: Path) -> ReadingInfo:
        try:
            info, journals = load_description(folder).info, find_journals(folder)
            excerpt = load_excerpt(folder, info.pages) if has_present_text(folder) else info.excerpt
            size = info.size + sum(path.stat().st_size for path in journals)
            return replace(info, expire_us=None if is_corrected(folder) else info.expire_us, size=size, excerpt=excerpt)
        except BROKEN_READING as error:
            raise_machine_error(error)
            _log.error("the reading %s is damaged (%s)", folder.name, error)
            made_us = folder.stat().st_mtime_ns // 1000
            return ReadingInfo(
                reading_id=folder.name,
                file_name="",
                pages=(),
                pages_total=0,
                excerpt="",
                engines=(),
                create_us=made_us,
                expire_us=None if is_corrected(folder) else made_us + self._retention_us,
                size=disk_usage([folder]),
                damaged=True,
            )


def _is_over(info: ReadingInfo, now: int) -> bool:
    return info.expire_us is not None and info.expire_us <= now
