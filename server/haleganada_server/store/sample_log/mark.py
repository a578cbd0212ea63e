"""The mark of a workspace: how far its log has come, kept in a file of its own, so that a log that lost its end, or was
exchanged for another, is noticed; and so that revisions and sample ids are never used twice, even after a delete.

The file has two slots, written in turn, each with its own checksum: a torn write leaves the other. A mark is written
after its commit has reached the disk and is not synced itself, so that it never runs ahead of the log. It outlives
kill -9; after a power failure it may be behind, which is harmless.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.store.errors import WAYS_BACK

NO_DIGEST = bytes(16)
_FORMAT = 1
_FIELDS = struct.Struct("<4sHHQqq16sq")  # magic, format, flags, writing number, revision, last sample id, digest, live
_CHECKSUM = struct.Struct("<I")
_SLOT = 64 + 32  # bytes, more than a slot needs
_MAGIC = b"HMRK"
_DELETED = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a log has come. revision, last_sample_id: the greatest ever used. digest: 16 bytes, the checksum of the
    log up to that revision, zeros = unknown. samples_total: live samples. deleted: the workspace was deleted.
    """

    revision: int = 0
    last_sample_id: int = 0
    digest: bytes = NO_DIGEST
    samples_total: int = 0
    deleted: bool = False


class MarkFile:
    """The mark's file, opened when it is first written. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._number: int | None = None  # of the newest slot; None = not read yet
        self._failed = False

    def read(self) -> Mark | None:
        """Return the newest intact mark; None if there is none, which the server's log says unless the file is missing.
        Raises OSError.
        """
        self._number = 0
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        slots = [slot for start in (0, _SLOT) if (slot := _parse(content[start : start + _SLOT])) is not None]
        if not slots:
            _log.warning("the mark %s/%s is damaged; it is written anew", self._path.parent.name, self._path.name)
            return None
        self._number, mark = max(slots, key=lambda slot: slot[0])
        return mark

    def write(self, mark: Mark, *, sync: bool = False) -> None:
        """Write a mark. An error is only logged, once: the log is what counts, and has already been written."""
        try:
            self.write_durably(mark) if sync else self._write(mark)
            self._failed = False
        except OSError as error:
            if not self._failed:
                _log.warning("the mark %s/%s cannot be written: %s", self._path.parent.name, self._path.name, error)
            self._failed = True

    def write_durably(self, mark: Mark) -> None:
        """Write a mark that survives a power failure. Raises OSError."""
        self._write(mark)
        assert self._file is not None
        os.fsync(self._file.fileno())

    @property
    def is_open(self) -> bool:
        """Whether it holds a descriptor."""
        return self._file is not None

    def close(self) -> None:
        """Sync what was written, and close the file."""
        if self._file is not None:
            with suppress(OSError):  # then it is behind after a power failure
                os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def _write(self, mark: Mark) -> None:
        if self._number is None:
            self.read()  # so that the other slot is not taken for the newer one
        if self._file is None:
            self._file = self._open()
        number = (self._number or 0) + 1
        self._file.seek(number % 2 * _SLOT)
        self._file.write(_format(number, mark))
        self._number = number

    def _open(self) -> FileIO:
        """Open the file; a new one gets its full size, so that a full disk does not stop later writes."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        file = FileIO(handle, "r+b")
        if os.fstat(handle).st_size < 2 * _SLOT:
            file.write(bytes(2 * _SLOT))
        return file


def check_mark(mark: Mark, found: Mark, digest_at: Callable[[int], bytes], name: str) -> None:
    """Compare a workspace's mark with what was found in its log. digest_at: returns the log's digest at a revision.
    Raises DataLoss if the log lost its end, or is another one.
    """
    if found.revision < mark.revision:
        raise DataLoss(
            f"the file of workspace “{name}” has lost its end: {_describe_missing(found.revision, mark.revision)}; it "
            f"had {mark.samples_total} samples, {found.samples_total} are left. {WAYS_BACK}",
            Reason.WORKSPACE_CORRUPT,
        )
    digest = digest_at(mark.revision)
    if NO_DIGEST not in (digest, mark.digest) and digest != mark.digest:
        raise DataLoss(
            f"the file of workspace “{name}” is not the one that this server wrote last: it differs at revision "
            f"{mark.revision}. Put the right file back, if you have it. {WAYS_BACK}",
            Reason.WORKSPACE_CORRUPT,
        )


def _describe_missing(found: int, marked: int) -> str:
    if marked - found == 1:
        return f"the last change is missing, revision {marked}"
    return f"the last {marked - found} changes are missing, revisions {found + 1} to {marked}"


def _format(number: int, mark: Mark) -> bytes:
    flags = _DELETED if mark.deleted else 0
    fields = (_MAGIC, _FORMAT, flags, number, mark.revision, mark.last_sample_id, mark.digest, mark.samples_total)
    packed = _FIELDS.pack(*fields)
    return (packed + _CHECKSUM.pack(zlib.crc32(packed))).ljust(_SLOT, b"\0")


def _parse(slot: bytes) -> tuple[int, Mark] | None:
    """Return a slot's number and mark; None if it is damaged, or of another format."""
    if len(slot) < _SLOT:
        return None
    packed = slot[: _FIELDS.size]
    if _CHECKSUM.unpack_from(slot, _FIELDS.size)[0] != zlib.crc32(packed):
        return None
    magic, number_of_format, flags, number, revision, last_sample_id, digest, samples_total = _FIELDS.unpack(packed)
    if (magic, number_of_format) != (_MAGIC, _FORMAT):
        return None
    return number, Mark(
        revision=revision,
        last_sample_id=last_sample_id,
        digest=digest,
        samples_total=samples_total,
        deleted=bool(flags & _DELETED),
    )
