"""A document on its way from a caller: a temporary file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.core.machine_errors import machine_errors

from .room import ReadingRoom


class IncomingFile:
    """core.reading.ports.IncomingDocument."""

    def __init__(self, path: Path, max_bytes: int, room: ReadingRoom) -> None:
        """path: of a new file. max_bytes: that it may have. Raises Exhausted."""
        self.path, self.size = path, 0
        self._max_bytes, self._room = max_bytes, room
        self._digest = hashlib.sha256()
        with machine_errors():
            self._file = path.open("wb")

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        if self.size + len(chunk) > self._max_bytes:
            raise Exhausted(
                f"the document has more than {self._max_bytes:,} bytes; send it in parts", Reason.DOCUMENT_TOO_LARGE
            )
        self._room.take(len(chunk))
        self.size += len(chunk)
        self._digest.update(chunk)
        with machine_errors():
            self._file.write(chunk)

    def finish(self) -> None:
        with machine_errors():
            self._file.close()

    def move(self, target: Path) -> None:
        self.finish()
        with machine_errors():
            self.path.replace(target)
        self.size = 0

    def remove(self) -> None:
        try:
            self._file.close()
        except OSError:
            pass  # what could not be written is not needed
        finally:
            self.path.unlink(missing_ok=True)
            self._room.give_back(self.size)
            self.size = 0
