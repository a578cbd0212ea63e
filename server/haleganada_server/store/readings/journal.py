"""The corrections of a page: page-00001.corrections, a line of JSON for each, sealed by a checksum of itself.

A line is complete with its line feed. What a kill has left of the last one was not acknowledged: it is left out, and
cut off before the next one is written. Everything else that is not as it was written is damage.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from haleganada_server.core.checksum import CHECKSUM, seal, unseal
from haleganada_server.core.failpoints import reach
from haleganada_server.core.reading.corrections.corrections import JournalEntry, entry_from_json, entry_to_json
from haleganada_server.store import files

JOURNAL = ".corrections"


def journal_name(page: int) -> str:
    """Return the name of a page's journal. page: from 1."""
    return f"page-{page:05}{JOURNAL}"


def find_journals(folder: Path) -> list[Path]:
    """Return the journals of a reading, by page."""
    return sorted(folder.glob(f"page-*{JOURNAL}"))


def encode_entry(entry: JournalEntry) -> bytes:
    """Return the line of an entry."""
    return json.dumps(seal(entry_to_json(entry)), ensure_ascii=False).encode() + b"\n"


def load_journal(path: Path) -> list[JournalEntry]:
    """Return all entries, none if there is no journal. Raises OSError, ValueError, KeyError or TypeError if it is not
    as it was written.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return list(_parse(data))


def append_line(path: Path, line: bytes) -> None:
    """Append an entry to a journal, and return when it is on disk. The folder must exist. Raises OSError; nothing was
    written then, as far as the disk allows.
    """
    is_new = not path.exists()
    with path.open("ab+") as file:
        file.seek(0)
        end = file.read().rfind(b"\n") + 1
        file.truncate(end)
        try:
            file.write(line)
            file.flush()
            reach("correction.written")
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise
    if is_new:
        files.sync_folder(path.parent)


def _parse(data: bytes) -> Iterator[JournalEntry]:
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        fields = json.loads(line)
        if CHECKSUM not in fields:
            raise ValueError(f"line {number} has no checksum")
        entry = entry_from_json(unseal(fields))
        if entry.revision != number:
            raise ValueError(f"line {number} has revision {entry.revision}")
        yield entry
