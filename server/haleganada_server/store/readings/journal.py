"""The corrections of a page: page-00001.corrections, a line of JSON for each, sealed by a checksum of itself.

A line is complete with its line feed. What a kill has left of the last one was not acknowledged: it is left out, and
cut off before the next one is written. Every other change since it was written is damage; so that a lost end is told
from one that was never written, page-00001.acknowledged has the number of corrections that were.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from haleganada_server.core.baton import without_baton
from haleganada_server.core.disk.checksum import CHECKSUM, seal, unseal
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.reading.corrections.corrections import JournalEntry, entry_from_json, entry_to_json
from haleganada_server.store import files
from haleganada_server.store.sample_log.mark import Mark, MarkFile

JOURNAL = ".corrections"
ACKNOWLEDGED = ".acknowledged"
"""Sorted before the journals, so that it is copied before them and is never ahead of its journal in a backup."""


def journal_name(page: int) -> str:
    """Return the name of a page's journal. page: from 1."""
    return f"page-{page:05}{JOURNAL}"


def find_journals(folder: Path) -> list[Path]:
    """Return the journals of a reading, by page."""
    return sorted(folder.glob(f"page-*{JOURNAL}"))


def is_corrected(folder: Path) -> bool:
    """Return whether a reading has corrections, or had some."""
    return any(folder.glob(f"page-*{JOURNAL}")) or any(folder.glob(f"page-*{ACKNOWLEDGED}"))


def require_intact_journals(folder: Path) -> None:
    """Raise what load_journal raises unless all corrections of a reading are as they were written."""
    marked = (path.with_suffix(JOURNAL) for path in folder.glob(f"page-*{ACKNOWLEDGED}"))
    for path in {*find_journals(folder), *marked}:
        load_journal(path)


def encode_entry(entry: JournalEntry) -> bytes:
    """Return the line of an entry."""
    return json.dumps(seal(entry_to_json(entry)), ensure_ascii=False).encode() + b"\n"


def load_journal(path: Path) -> list[JournalEntry]:
    """Return all entries, none if there is no journal. Raises OSError, ValueError, KeyError or TypeError if it has
    changed since it was written, or has fewer entries than were acknowledged.
    """
    acknowledged = MarkFile(path.with_suffix(ACKNOWLEDGED)).read()  # first: it never runs ahead of the journal
    try:
        entries = list(_parse(path.read_bytes()))
    except FileNotFoundError:
        entries = []
    if acknowledged is not None and len(entries) < acknowledged.revision:
        raise ValueError(f"{path.name} has {len(entries)} of {acknowledged.revision} corrections; it has lost its end")
    return entries


def append_line(path: Path, line: bytes) -> None:
    """Append an entry to a journal, and return when it is on disk. The folder must exist. Raises OSError; nothing was
    written then, as far as the disk allows.
    """
    is_new = not path.exists()
    with path.open("ab+") as file:
        file.seek(0)
        before = file.read()
        end = before.rfind(b"\n") + 1
        file.truncate(end)
        try:
            file.write(line)
            file.flush()
            reach("correction.written")
            with without_baton():
                os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise
    if is_new:
        files.sync_folder(path.parent)
    reach("correction.synced")
    _acknowledge(path, before.count(b"\n") + 1)


def _acknowledge(path: Path, count: int) -> None:
    """Note how many corrections a journal has. It is not synced: after a power failure it may be behind."""
    mark = MarkFile(path.with_suffix(ACKNOWLEDGED))
    try:
        mark.write(Mark(revision=count))
    finally:
        mark.close()


def _parse(data: bytes) -> Iterator[JournalEntry]:
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        fields = json.loads(line)
        if CHECKSUM not in fields:
            raise ValueError(f"line {number} has no checksum")
        entry = entry_from_json(unseal(fields))
        if entry.revision != number:
            raise ValueError(f"line {number} has revision {entry.revision}")
        yield entry
