"""The data directory: DIR/workspaces/<hash of the name>/{workspace.json, log.sqlite3, snapshots/, trash/}, and
DIR/tmp/.

No file or folder is named by a label or a workspace's name. A workspace exists as long as its log does; a deleted
one keeps its snapshots and its trash.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from haleganada_server.core.errors import AlreadyExists, DataLoss, NotFound
from haleganada_server.core.ports import Event, ExportFile, ImportItem, InkReader, WorkspaceLog
from haleganada_server.core.types import Refused, SnapshotInfo, TransferFormat

from . import files, formats, schema
from .failures import storage_errors
from .lock import DirectoryLock
from .log import SqliteLog
from .snapshots import SnapshotFolder

_log = logging.getLogger(__name__)


class DataDirectory:
    """core.ports.WorkspaceDirectory on a file system."""

    def __init__(self, root: Path, ink: InkReader) -> None:
        """Creates the folders, takes the lock. Raises Precondition if another server holds it."""
        self._workspaces, self._temporary, self._ink = root / "workspaces", root / "tmp", ink
        root.mkdir(parents=True, exist_ok=True)
        self._lock = DirectoryLock(root)
        shutil.rmtree(self._temporary, ignore_errors=True)  # what a killed server left behind
        for folder in (self._workspaces, self._temporary):
            folder.mkdir(exist_ok=True)

    def names(self) -> list[str]:
        return sorted(name for home in self._workspaces.iterdir() if (name := self._name_of(home)) is not None)

    def exists(self, name: str) -> bool:
        return self._log_path(name).exists()

    def create(self, name: str, first_event: Event | None = None) -> SqliteLog:
        path = self._log_path(name)
        if path.exists():
            raise AlreadyExists(f"there is already a workspace “{name}”", "WORKSPACE_EXISTS")
        with storage_errors(name):
            path.parent.mkdir(exist_ok=True)
            beside = path.with_suffix(".new")
            beside.unlink(missing_ok=True)
            schema.create(beside, name, time.time_ns() // 1000)
            files.write_json(path.parent / "workspace.json", {"name": name})
            files.move(beside, path)
            files.sync_folder(self._workspaces)
            return self._with_event(SqliteLog(path, name), first_event)

    def open(self, name: str) -> SqliteLog:
        path = self._log_path(name)
        if not path.exists():
            raise NotFound("workspace", name, "create it first")
        try:
            return SqliteLog(path, name)
        except DataLoss:
            kept = [f"{kept.snapshot_id} ({kept.name})" for kept in self.snapshots(name)[:3]]
            _log.error("workspace %r cannot be opened; newest snapshots: %s", name, ", ".join(kept) or "none")
            raise

    def retire(self, log: WorkspaceLog | None, name: str, why: str) -> SnapshotInfo | None:
        path = self._log_path(name)
        if not path.exists():
            return None
        facts = (log.revision(), log.count()) if log is not None else (self._newest_revision(name), 0)
        if log is not None:
            log.close()
        return self._snapshots(name).throw_away(path, why, facts)

    def bring_back(self, name: str, retired: SnapshotInfo) -> SqliteLog:
        path = self._log_path(name)
        path.unlink(missing_ok=True)  # half a successor
        self._snapshots(name).take_out(retired, path)
        return self.open(name)

    def save(self, log: WorkspaceLog, name: str, *, seed_files: bool = True) -> SnapshotInfo:
        folder = self._snapshots(log.name)
        with storage_errors(log.name):
            info = folder.keep(log, name)
            if seed_files:  # from the copy: the log goes on meanwhile
                with closing(SqliteLog(folder.file(info), log.name)) as copy:
                    formats.write_seed_folder(copy, self._ink, folder.seed_folder(info.snapshot_id))
        return info

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        return self._snapshots(name).all() if self._home(name).exists() else []

    def restore(self, name: str, snapshot_id: str, event: Event) -> SqliteLog:
        path = self._log_path(name)
        if path.exists():
            raise AlreadyExists(f"the workspace “{name}” is in the way of its snapshot", "WORKSPACE_EXISTS")
        with storage_errors(name):
            self._snapshots(name).copy_out(snapshot_id, path)
            try:
                return self._with_event(SqliteLog(path, name), event)
            except DataLoss:
                path.unlink(missing_ok=True)
                raise

    def export(self, log: WorkspaceLog, form: TransferFormat) -> ExportFile:
        with storage_errors(log.name):
            return formats.write(log, self._ink, form, self.temporary_file())

    def read_import(self, path: Path, form: TransferFormat | None) -> Iterator[ImportItem | Refused]:
        return formats.read(path, form)

    def temporary_file(self) -> Path:
        return self._temporary / secrets.token_hex(12)

    def close(self) -> None:
        self._lock.release()

    def _home(self, name: str) -> Path:
        return self._workspaces / hashlib.sha256(name.encode()).hexdigest()[:24]

    def _log_path(self, name: str) -> Path:
        return self._home(name) / "log.sqlite3"

    def _snapshots(self, name: str) -> SnapshotFolder:
        return SnapshotFolder(self._home(name), name)

    def _newest_revision(self, name: str) -> int:
        """A revision that no reader has seen beyond, for a file that cannot be asked."""
        return max((kept.revision for kept in self.snapshots(name)), default=0) + 1_000_000

    @staticmethod
    def _name_of(home: Path) -> str | None:
        """The name of the workspace that lives there, if it has a log; the log knows it too, should the JSON be
        lost.
        """
        log = home / "log.sqlite3"
        if not log.exists():
            return None
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads((home / "workspace.json").read_text(encoding="utf-8"))["name"])
        name = schema.name_in(log)
        if name is None:
            _log.error(
                "the folder %s holds a log, but neither it nor workspace.json tells whose; it is left alone", home.name
            )
        return name

    @staticmethod
    def _with_event(log: SqliteLog, event: Event | None) -> SqliteLog:
        if event is not None:
            with log.transaction() as transaction:
                transaction.append(event)
        return log
