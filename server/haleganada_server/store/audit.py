"""The audit trail of a server, in DIR/access/audit.jsonl: a line for each entry, only ever appended. A file that has
become large gets a number, and the oldest ones are deleted.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haleganada_server.core.access.audit import AuditEntry
from haleganada_server.core.access.identity import Caller

from . import files

ACCESS_FOLDER = "access"
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
AUDIT_FILE = "audit.jsonl"
_LOCK = "lock"
_FILE_BYTES, _FILES = 8 * 2**20, 8  # some 300,000 entries in all
_log = logging.getLogger(__name__)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Create the folder of tokens and audit trail if it is missing, and have it alone for the block."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    files.give_to_owner_of(folder.parent, folder)
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        files.give_to_owner_of(folder, folder / _LOCK)
        files.lock(handle, wait=True)
        yield
    finally:
        os.close(handle)


class AuditFile:
    """core.access.audit.AuditTrail in files."""

    def __init__(self, root: Path) -> None:
        """root: the data directory. Nothing is created before the first entry."""
        self._folder = root / ACCESS_FOLDER
        self._path = self._folder / AUDIT_FILE

    def append(self, entry: AuditEntry) -> None:
        fields = {
            "time_us": entry.time_us,
            "who": entry.caller.name,
            "address": entry.caller.address,
            "what": entry.what,
            "workspace": entry.workspace,
            "detail": entry.detail,
        }
        line = json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        with lock_folder(self._folder):
            self._make_room(len(line))
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
            try:
                files.give_to_owner_of(self._folder, self._path)
                os.write(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)

    def read(self) -> Iterator[AuditEntry]:
        """Yield all entries, the oldest first. A line that a full disk has cut off is left out."""
        for path in (*reversed([self._make_path(number) for number in range(1, _FILES)]), self._path):
            try:
                lines = path.read_bytes().splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                try:
                    yield _parse(line)
                except (ValueError, KeyError, TypeError):
                    _log.warning("%s has a line that cannot be read", path.name)

    def _make_room(self, size: int) -> None:
        """Give the file a number if a line of this size makes it too large, and the others the next ones."""
        if not self._path.exists() or self._path.stat().st_size + size <= _FILE_BYTES:
            return
        paths = [self._path, *(self._make_path(number) for number in range(1, _FILES))]
        for older, newer in reversed(list(zip(paths[1:], paths[:-1], strict=True))):
            if newer.exists():
                newer.replace(older)

    def _make_path(self, number: int) -> Path:
        return self._path.with_name(f"audit.{number}.jsonl")


def _parse(line: bytes) -> AuditEntry:
    fields = json.loads(line)
    caller = Caller(str(fields["who"]), str(fields["address"]))
    return AuditEntry(
        int(fields["time_us"]), caller, str(fields["what"]), str(fields["workspace"]), str(fields["detail"])
    )
