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

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.disk.files import file_sha256, measure_size
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, Exhausted, InvalidInput, Unavailable
from haleganada_server.store.errors import storage_errors

_MAX_AGE_S = 7 * 24 * 3600.0
_MAX_AGE_WITHOUT_ROOM_S = 24 * 3600.0


class Uploads:
    """core.datasets.datasets.UploadStore on a file system. Safe from any thread; hashes are lower-case hexadecimal."""

    def __init__(
        self,
        root: Path,
        max_bytes: int,
        max_total_bytes: int | None = None,
        require_room: Callable[[int], None] = lambda _needed: None,
    ) -> None:
        """root: DIR/uploads, created if it is missing; old uploads are removed from it. max_bytes: of one file.
        max_total_bytes: of all of them; None = no bound. require_room: raises Exhausted if the disk may not take so
        many bytes more.
        """
        self._root, self._max_bytes, self._max_total_bytes = root, max_bytes, max_total_bytes
        self._require_room = require_room
        self._lock = threading.Lock()
        self._owners: dict[str, object] = {}
        root.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned(_MAX_AGE_S)

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
        file over max_bytes or with another hash (which is removed), Exhausted if the disk is full or a quota is used
        up (removed, too), AlreadyExists if another call has taken over the upload, Unavailable if it was interrupted.
        The bytes received until then are kept in these last two cases.
        """
        owner = object()
        self._require_total(sha256, offset)
        self._require_room(0)
        path = self._open(sha256, offset, owner)
        try:
            with storage_errors("the uploads"):
                self._append(path, sha256, owner, chunks)
        except (InvalidInput, Exhausted) as error:
            if isinstance(error, InvalidInput) or error.reason in (Reason.DISK_FULL, Reason.QUOTA_EXCEEDED):
                self.remove(sha256)
            raise
        finally:
            with self._lock:
                if self._owners.get(sha256) is owner:
                    del self._owners[sha256]
        reach("upload.received")
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
        reach("upload.removed")

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
            reach("upload.opened")
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
                self._require_total(sha256, size)
                self._require_room(len(chunk))
                with self._lock:
                    if self._owners.get(sha256) is not owner:
                        raise AlreadyExists("another call is continuing this upload; wait for it", Reason.UPLOAD_TAKEN)
                    file.write(chunk)
                    file.flush()  # so that GetUpload sees it
                reach("upload.grown")
            os.fsync(file.fileno())

    def _require_total(self, sha256: str, size: int) -> None:
        """Raise Exhausted if an upload of `size` bytes is too much beside the other ones, after removing those that
        nobody has continued for a day.
        """
        bound = self._max_total_bytes
        if bound is None or self._bytes_beside(sha256) + size < bound:
            return
        self._remove_abandoned(_MAX_AGE_WITHOUT_ROOM_S, spared=sha256)
        if self._bytes_beside(sha256) + size >= bound:
            raise Exhausted(
                f"the unfinished uploads would take more than the {bound / 1e9:.1f} GB that this server allows; finish "
                "the others first (those that nobody continues for a day are deleted), or start the server with a "
                "larger --upload-quota, then repeat the call",
                Reason.QUOTA_EXCEEDED,
                retry_after_s=30.0,
            )

    def _bytes_beside(self, sha256: str) -> int:
        return sum(measure_size(path) for path in self._root.iterdir() if path.name != sha256)

    def _remove_abandoned(self, age_s: float, spared: str = "") -> None:
        """Remove the uploads that nobody has continued for so long."""
        with self._lock:
            for path in self._root.iterdir():
                in_use = path.name == spared or path.name in self._owners
                if not in_use and path.stat().st_mtime < time.time() - age_s:
                    path.unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._root / sha256
