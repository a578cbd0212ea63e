"""Resumable uploads: DIR/uploads/<sha256 of the complete file>, which grow over any number of calls.

The latest call owns an upload: a client that reconnects must not have to wait until the server notices that the old
connection is dead. Uploads that are not continued are removed after a week.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, Exhausted, InvalidInput, Unavailable
from haleganada_server.core.files import file_sha256
from haleganada_server.store.errors import storage_errors

_MAX_AGE_S = 7 * 24 * 3600.0


class Uploads:
    """core.datasets.datasets.UploadStore on a file system. Safe from any thread; hashes are lower-case hexadecimal."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        """root: DIR/uploads, created if it is missing; old uploads are removed from it. max_bytes: of one file."""
        self._root, self._max_bytes = root, max_bytes
        self._lock = threading.Lock()
        self._owners: dict[str, object] = {}
        root.mkdir(parents=True, exist_ok=True)
        for path in root.iterdir():
            if path.stat().st_mtime < time.time() - _MAX_AGE_S:
                path.unlink(missing_ok=True)

    def bytes_received(self, sha256: str) -> int:
        """Return the number of bytes received; 0 for an unknown upload."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def receive(
        self, sha256: str, offset: int, chunks: Iterable[bytes], is_complete: Callable[[], bool] = lambda: True
    ) -> Path:
        """Append the chunks to the bytes received so far, and return the complete file, checked against its hash.

        is_complete: called if the hash is wrong; returns whether the chunks ended because there are no more, and not
        because the sender disconnected. Raises InvalidInput if offset is not the number of bytes received, or for a
        file over max_bytes or with another hash (which is removed), Exhausted if the disk is full (removed, too),
        AlreadyExists if another call has taken over the upload, Unavailable if it was interrupted. The bytes received
        until then are kept in these last two cases.
        """
        owner = object()
        path = self._open(sha256, offset, owner)
        try:
            with storage_errors("the uploads"):
                self._append(path, sha256, owner, chunks)
        except (InvalidInput, Exhausted):
            self.remove(sha256)
            raise
        finally:
            with self._lock:
                if self._owners.get(sha256) is owner:
                    del self._owners[sha256]
        if file_sha256(path) != sha256:
            if not is_complete():
                raise Unavailable(
                    "the upload was interrupted; ask GetUpload how much has arrived, then continue there",
                    Reason.UPLOAD_INTERRUPTED,
                )
            self.remove(sha256)
            raise InvalidInput("header.sha256", "does not match the bytes received; send the file again")
        return path

    def remove(self, sha256: str) -> None:
        """Remove an upload."""
        self._path(sha256).unlink(missing_ok=True)

    def _open(self, sha256: str, offset: int, owner: object) -> Path:
        path = self._path(sha256)
        with self._lock:
            received = self.bytes_received(sha256)
            if offset not in (0, received):
                raise InvalidInput(
                    "header.offset",
                    f"is {offset:,}, but {received:,} bytes were received; ask GetUpload, then continue there",
                )
            self._owners[sha256] = owner
            with storage_errors("the uploads"), path.open("ab") as file:
                file.truncate(offset)
        return path

    def _append(self, path: Path, sha256: str, owner: object, chunks: Iterable[bytes]) -> None:
        size = self.bytes_received(sha256)
        with path.open("ab") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    raise InvalidInput(
                        "chunk", f"makes the file larger than {self._max_bytes:,} bytes; send a smaller one"
                    )
                with self._lock:
                    if self._owners.get(sha256) is not owner:
                        raise AlreadyExists(
                            "another call continues this upload; leave it to that call", Reason.UPLOAD_TAKEN
                        )
                    file.write(chunk)
                    file.flush()  # so that GetUpload sees it
            os.fsync(file.fileno())

    def _path(self, sha256: str) -> Path:
        return self._root / sha256
