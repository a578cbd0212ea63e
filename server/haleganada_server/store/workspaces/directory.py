"""The data directory: DIR/workspaces/<hash of the name>/{workspace.json, log.sqlite3, snapshots/, trash/}, and
DIR/tmp/.

No file or folder is named after a label or a workspace. A workspace exists as long as its log does; a deleted one keeps
its snapshots and its trash. Everything is completed in DIR/tmp before it is moved into place; DIR/tmp is emptied at
every start.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, DataLoss, NotFound
from haleganada_server.core.files import scratch_folder
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.labels import DEFAULT_WORKSPACE
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import Event
from haleganada_server.core.workspaces.ports import ExportFile, ImportItem
from haleganada_server.core.workspaces.types import RefusedItem, SnapshotInfo, TransferFormat
from haleganada_server.store import files, formats
from haleganada_server.store.errors import damaged_snapshot, storage_errors
from haleganada_server.store.sample_log import recovery, schema
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.sample_log.reader import LogReader

from .lock import DirectoryLock
from .snapshots import SnapshotFolder, remove_journals

_log = logging.getLogger(__name__)
_REVISION_GAP = 1_000_000  # revisions to skip when the last one is unknown
_NAMED_IN_ERRORS = 3


class DataDirectory:
    """core.workspaces.ports.WorkspaceDirectory on a file system. Names of workspaces are expected in NFC."""

    def __init__(self, root: Path, rasterizer: Rasterizer) -> None:
        """Create the folders and take the lock. Raises Precondition if another server holds it, OSError if the folder
        cannot be used.
        """
        self._workspaces, self._temporary, self._rasterizer = root / "workspaces", root / "tmp", rasterizer
        root.mkdir(parents=True, exist_ok=True)
        self._lock = DirectoryLock(root)
        try:
            shutil.rmtree(self._temporary, ignore_errors=True)  # what a killed server left behind
            for folder in (self._workspaces, self._temporary):
                folder.mkdir(exist_ok=True)
        except BaseException:
            self._lock.release()
            raise

    def names(self) -> list[str]:
        return sorted(name for home in self._workspaces.iterdir() if (name := self._read_name(home)) is not None)

    def exists(self, name: str) -> bool:
        return self._log_path(name).exists()

    def create(self, name: str, first_event: Event | None = None) -> SqliteLog:
        if self.exists(name):
            raise AlreadyExists(f"there is already a workspace “{name}”", Reason.WORKSPACE_EXISTS)
        with storage_errors(name), scratch_folder(self.temporary_file()) as scratch:
            state = scratch / "state.sqlite3"
            schema.create(state, name, now_us())
            return self._install(state, name, first_event, scratch)

    def open(self, name: str) -> SqliteLog:
        path = self._log_path(name)
        if not path.exists():
            raise NotFound("workspace", name, "check the name, or create it first")
        try:
            return SqliteLog(path, name)
        except DataLoss as error:
            attempts = "; ".join(recovery.attempt_reads(path))
            _log.error("workspace %r cannot be opened (%s); tried %s", name, error, attempts)
            newest = self.snapshots(name)[:_NAMED_IN_ERRORS]
            named = ", ".join(f"{info.snapshot_id} (“{info.name}”)" for info in newest) or "none"
            raise DataLoss(f"{error.message}; its newest snapshots: {named}", error.reason) from error

    def retire(self, log: WorkspaceLog | None, name: str, why: str) -> SnapshotInfo | None:
        path = self._log_path(name)
        if not path.exists():
            return None
        with storage_errors(name), scratch_folder(self.temporary_file()) as scratch:
            folder = SnapshotFolder(self._home(name), name, scratch)
            if log is None:
                counts = recovery.read_counts(path) or (self._last_kept_revision(name) + _REVISION_GAP, 0)
                why = f"{why} (damaged)"
            else:
                counts = (log.revision(), log.count())
                log.checkpoint()  # before closing it: if there is no space for the manifest, nothing has changed
            info = folder.describe_for_trash(path, why, counts)
            if log is not None:
                log.close()
            folder.move_to_trash(path, info)
            return info

    def bring_back(self, name: str, retired: SnapshotInfo) -> SqliteLog:
        if self.exists(name):
            raise AlreadyExists(
                f"the workspace “{name}” exists again; its old state cannot be brought back", Reason.WORKSPACE_EXISTS
            )
        with storage_errors(name):
            SnapshotFolder(self._home(name), name, self._temporary).move_back(retired, self._log_path(name))
        return self.open(name)

    def save(self, log: WorkspaceLog, name: str, *, seed_files: bool = True) -> SnapshotInfo:
        with storage_errors(log.name), scratch_folder(self.temporary_file()) as scratch:
            state, seed_folder = scratch / "state.sqlite3", scratch / "seed-files"
            log.copy_to(state)
            with contextlib.closing(LogReader(state, log.name, frozen=True)) as frozen:
                counts = (frozen.revision(), frozen.count())
                if seed_files:
                    formats.write_seed_folder(frozen, self._rasterizer, seed_folder)
            folder = SnapshotFolder(self._home(log.name), log.name, scratch)
            return folder.add(state, seed_folder if seed_files else None, name, counts)

    def discard(self, name: str, snapshot: SnapshotInfo) -> None:
        SnapshotFolder(self._home(name), name, self._temporary).discard(snapshot)

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        return SnapshotFolder(self._home(name), name, self._temporary).all()

    def restore(self, name: str, snapshot_id: str, event: Event) -> SqliteLog:
        if self.exists(name):
            raise AlreadyExists(
                f"the workspace “{name}” exists, so its snapshot cannot take its place", Reason.WORKSPACE_EXISTS
            )
        with storage_errors(name), scratch_folder(self.temporary_file()) as scratch:
            state = scratch / "state.sqlite3"
            SnapshotFolder(self._home(name), name, scratch).copy_out(snapshot_id, state)
            # Greater than all earlier revisions, also those of a workspace that was deleted in the meantime.
            revision = max(event.revision, self._last_kept_revision(name) + 1)
            try:
                return self._install(state, name, replace(event, revision=revision), scratch)
            except DataLoss as error:  # an unreadable workspace was moved to the trash as it was
                raise damaged_snapshot(name, snapshot_id) from error

    def export(self, log: WorkspaceLog, transfer_format: TransferFormat) -> ExportFile:
        with storage_errors(log.name), scratch_folder(self.temporary_file()) as scratch:
            state = scratch / "state.sqlite3"
            log.copy_to(state)  # one consistent state, whatever is taught during the export
            with contextlib.closing(LogReader(state, log.name, frozen=True)) as frozen:
                return formats.write(frozen, self._rasterizer, transfer_format, self.temporary_file())

    def read_import(self, path: Path, transfer_format: TransferFormat | None) -> Iterator[ImportItem | RefusedItem]:
        return formats.read(path, transfer_format, self._rasterizer)

    def temporary_file(self) -> Path:
        return self._temporary / secrets.token_hex(12)

    def close(self) -> None:
        self._lock.release()

    def _home(self, name: str) -> Path:
        return self._workspaces / hashlib.sha256(name.encode()).hexdigest()[:24]

    def _log_path(self, name: str) -> Path:
        return self._home(name) / "log.sqlite3"

    def _install(self, state: Path, name: str, event: Event | None, scratch: Path) -> SqliteLog:
        """Append `event` to a workspace's file, move the file into place and open it. Raises DataLoss."""
        with contextlib.closing(SqliteLog(state, name)) as log:
            if event is not None:
                with log.transaction() as transaction:
                    transaction.append(event)
            created_us = log.created_us
        path = self._log_path(name)
        path.parent.mkdir(exist_ok=True)
        files.write_json(path.parent / "workspace.json", {"name": name, "created_us": created_us}, scratch)
        remove_journals(path)
        files.move(state, path)
        files.sync_folder(self._workspaces)
        return SqliteLog(path, name)

    def _last_kept_revision(self, name: str) -> int:
        """Return the newest revision of any snapshot; 0 without snapshots."""
        return max((info.revision for info in self.snapshots(name)), default=0)

    def _read_name(self, home: Path) -> str | None:
        """Return the name of the workspace in a folder; None if it has no log. The log knows it if the JSON is lost."""
        log = home / "log.sqlite3"
        if not log.exists():
            return None
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads((home / "workspace.json").read_text(encoding="utf-8"))["name"])
        if home == self._home(DEFAULT_WORKSPACE):
            return DEFAULT_WORKSPACE
        if (name := recovery.read_name(log)) is None:
            _log.error(
                "the folder %s has a log, but neither it nor workspace.json gives the workspace's name; it is skipped",
                home.name,
            )
        return name
