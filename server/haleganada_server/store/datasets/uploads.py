"""Files that arrive in pieces: DIR/uploads/<sha256 of the whole file>, which grow over any number of calls.

Whoever writes last to an upload owns it: a client that comes back after its connection broke must not have to wait
until the server notices that the old one is dead. What nobody goes on with is removed after a week.
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

_KEPT_S = 7 * 24 * 3600.0


class Uploads:
    """Uploads on a file system. Safe from any thread; names are SHA-256 hashes in lower-case hexadecimal."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        """root: DIR/uploads, made if it is missing; what is older than a week is removed. max_bytes: of one file."""
        self._root, self._max_bytes = root, max_bytes
        self._lock = threading.Lock()
        self._owners: dict[str, object] = {}
        root.mkdir(parents=True, exist_ok=True)
        for path in root.iterdir():
            if path.stat().st_mtime < time.time() - _KEPT_S:
                path.unlink(missing_ok=True)

    def received(self, sha256: str) -> int:
        """Bytes that have arrived; 0 if nothing is known of it."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def receive(
        self, sha256: str, offset: int, chunks: Iterable[bytes], is_complete: Callable[[], bool] = lambda: True
    ) -> Path:
        """Append the chunks to what has arrived, up to the end of the file; the file, checked against its hash.

        is_complete: asked if the hash is another one: whether the chunks ended because there are no more, and not
        because their sender is gone. Raises InvalidInput if offset is not what has arrived, for a file over
        max_bytes or of another hash (which is removed), Exhausted without room (removed, too), AlreadyExists if
        another call has taken the upload over, Unavailable if the chunks broke off. What arrived before that is kept.
        """
        owner = object()
        path = self._begin(sha256, offset, owner)
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
                    "the upload broke off; ask GetUpload how much has arrived, then go on there",
                    Reason.UPLOAD_INTERRUPTED,
                )
            self.remove(sha256)
            raise InvalidInput("header.sha256", "is not that of the bytes that arrived; send the file again")
        return path

    def remove(self, sha256: str) -> None:
        """Forget an upload."""
        self._path(sha256).unlink(missing_ok=True)

    def _begin(self, sha256: str, offset: int, owner: object) -> Path:
        path = self._path(sha256)
        with self._lock:
            arrived = self.received(sha256)
            if offset not in (0, arrived):
                raise InvalidInput(
                    "header.offset",
                    f"is {offset:,}, but {arrived:,} bytes have arrived; ask GetUpload, then go on there",
                )
            self._owners[sha256] = owner
            with storage_errors("the uploads"), path.open("ab") as file:
                file.truncate(offset)
        return path

    def _append(self, path: Path, sha256: str, owner: object, chunks: Iterable[bytes]) -> None:
        size = self.received(sha256)
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
                            "another call goes on with this upload; leave it to that one", Reason.UPLOAD_TAKEN
                        )
                    file.write(chunk)
                    file.flush()  # so that what has arrived can be asked
            os.fsync(file.fileno())

    def _path(self, sha256: str) -> Path:
        return self._root / sha256
