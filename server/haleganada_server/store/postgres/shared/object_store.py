"""Files in a folder or a bucket that all servers reach, by fsspec. Nothing here is ever written twice to one place."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias

import fsspec
from fsspec.core import url_to_fs

from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.error_reasons import Reason, StartReason
from haleganada_server.core.errors import DataLoss, Precondition, Unavailable
from haleganada_server.core.installation import describe_install
from haleganada_server.core.machine_errors import raise_machine_error
from haleganada_server.store import files

Files: TypeAlias = Mapping[str, tuple[int, str]]
"""Name -> bytes and SHA-256 of each file of a folder."""
_OPTIONS: Mapping[str, dict[str, Any]] = {
    "s3": {
        "use_listings_cache": False,
        "config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3}},
    },
}
_DAMAGED = {
    "models": Reason.MODEL_DAMAGED,
    "datasets": Reason.DATASET_DAMAGED,
    "readings": Reason.READING_DAMAGED,
    "jobs": Reason.JOB_DAMAGED,
}
_RETRY_S = 5.0
_log = logging.getLogger(__name__)


class ObjectStore:
    """Folders of files below one address. Safe from any thread."""

    def __init__(self, url: str) -> None:
        """url: a folder, or what fsspec knows, such as s3://BUCKET/PREFIX. Raises Precondition if it cannot be written
        to and read; the message does not repeat what may hold a key.
        """
        protocol = url.partition("://")[0] if "://" in url else "file"
        try:
            self._fs, self._root = url_to_fs(url, **_OPTIONS.get(protocol, {}))
        except (ImportError, ValueError) as error:
            hint = describe_install("cluster") if protocol == "s3" else "name a folder that all servers have, or s3://…"
            raise Precondition(
                f"--objects cannot be used ({type(error).__name__}): {hint}", StartReason.OBJECTS_UNUSABLE
            ) from None
        self._is_local = isinstance(self._fs, fsspec.get_filesystem_class("file"))
        self._try(protocol)

    def put_folder(self, folder: Path, place: str) -> Files:
        """Write all files of a folder to a new place; return what was written. Raises Unavailable."""
        found = {str(path.relative_to(folder).as_posix()): path for path in sorted(folder.rglob("*")) if path.is_file()}
        with self._errors(place):
            for name, path in found.items():
                target = self._path(place, name)
                self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._fs.put_file(str(path), target)
                if self._is_local:
                    files.sync_file(Path(target))
        return {name: (path.stat().st_size, file_sha256(path)) for name, path in found.items()}

    def get_folder(self, place: str, written: Files, folder: Path) -> None:
        """Copy what was written to a place to a new folder. Raises DataLoss for what has changed since it was written,
        Unavailable.
        """
        folder.mkdir(parents=True)
        for name, (size, sha256) in written.items():
            target = folder / name
            if not target.resolve().is_relative_to(folder.resolve()):
                raise _damaged(place, name, "its name leads elsewhere")
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._errors(f"{place}/{name}"):
                self._fs.get_file(self._path(place, name), str(target))
            if target.stat().st_size != size or file_sha256(target) != sha256:
                raise _damaged(place, name, "it is not what was written")
            files.sync_file(target)

    def remove(self, place: str) -> bool:
        """Remove what was written to a place, and return whether nothing is there. What cannot be removed only takes
        space, and is logged.
        """
        path = f"{self._root}/{place}"
        try:
            if not self._is_local:
                for found in self._fs.find(path):
                    self._fs.rm_file(found)
            elif self._fs.exists(path):
                self._fs.rm(path, recursive=True)
        except Exception as error:  # fsspec passes on those of any library
            _log.warning("%s stays in the object store: %s", place, error)
            return False
        return True

    def _path(self, place: str, name: str) -> str:
        return f"{self._root}/{place}/{name}"

    def _try(self, protocol: str) -> None:
        """Raise Precondition unless what is written can be read."""
        place, content = f"{self._root}/try-{token_hex(8)}", b"haleganada"
        try:
            if self._is_local:
                self._fs.makedirs(self._root, exist_ok=True)
            self._fs.pipe_file(place, content)
            read = self._fs.cat_file(place)
            self._fs.rm_file(place)
        except Exception as error:  # fsspec passes on those of any library
            raise Precondition(
                f"the object store of --objects ({protocol}) cannot be used: {type(error).__name__}: "
                f"{' '.join(str(error).split())[:300]}",
                StartReason.OBJECTS_UNUSABLE,
            ) from None
        if read != content:
            raise Precondition(
                "the object store of --objects returns other bytes than were written", StartReason.OBJECTS_UNUSABLE
            )

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise _damaged(*what.rpartition("/")[::2], "it is missing") from error
        except Exception as error:  # fsspec passes on those of any library
            if self._is_local:
                raise_machine_error(error)
            _log.error("the object store fails: %s", " ".join(str(error).split()))
            raise Unavailable(
                "the object store that the servers share cannot be reached; repeat the call later",
                Reason.STORAGE_FAILED,
                retry_after_s=_RETRY_S,
            ) from error


def sync_local(folder: Path) -> None:
    """Make a finished folder survive a power failure."""
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        files.sync_folder(path)


def object_place(kind: str, object_id: str) -> str:
    """Return a new place for a folder."""
    return f"{kind}/{object_id}/{token_hex(8)}"


def _damaged(place: str, name: str, why: str) -> DataLoss:
    return DataLoss(
        f"the file {name} of {'/'.join(place.split('/')[:2])} in the object store is damaged: {why}. Bring the object "
        "store's backup back, or delete it and make it again",
        _DAMAGED.get(place.partition("/")[0], Reason.STORAGE_FAILED),
    )
