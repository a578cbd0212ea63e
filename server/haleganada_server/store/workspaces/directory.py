"""The data directory: DIR/workspaces/<hash of the name>/{workspace.json, log.sqlite3, snapshots/, trash/}, and
DIR/tmp/.

No file or folder is named after a label or a workspace. A workspace exists until it is deleted, also if its log has
vanished; a deleted one keeps its snapshots and its trash. Everything is completed in DIR/tmp before it is moved into
place; DIR/tmp is emptied at every start.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from haleganada_server.core.clock import now_us
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.disk.files import scratch_folder
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, DataLoss, NotFound
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.measures import CommitMeasures
from haleganada_server.core.sample_log.ports import SampleVisitor, WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.core.workspaces.ports import ExportFile, ImportItem, LogOutline, OnNote, ignore_note
from haleganada_server.core.workspaces.types import Lag, RefusedItem, SnapshotInfo, SnapshotKind, TransferFormat
from haleganada_server.store import files, formats
from haleganada_server.store.errors import storage_errors, unreadable, unusable_snapshot
from haleganada_server.store.import_stage import ImportStage
from haleganada_server.store.quota import DiskQuota, disk_usage
from haleganada_server.store.sample_log import schema
from haleganada_server.store.sample_log.integrity import recovery
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.sample_log.mark import Mark, MarkFile
from haleganada_server.store.sample_log.open_files import OpenFiles
from haleganada_server.store.sample_log.outline import read_outline
from haleganada_server.store.sample_log.reader import LogReader

from .home import DESCRIPTION, LOG, MARK, find_lost, folder_name, has_workspace, lost_log, read_name
from .inspection import Checked, check_log, check_snapshots
from .lock import DirectoryLock
from .repair import Repaired, Salvaged, salvage_workspace, write_salvaged
from .replacement import build_from_snapshot, finish, put_in_place, remove_log, swap
from .snapshots import SnapshotFolder, has_snapshots, remove_journals, remove_leftovers

_log = logging.getLogger(__name__)
_REVISION_GAP = 1_000_000  # revisions to skip when the last one is unknown
_NAMED_IN_ERRORS = 3


class DataDirectory:
    """core.workspaces.ports.WorkspaceDirectory on a file system. Names of workspaces are expected in NFC."""

    def __init__(
        self,
        root: Path,
        rasterizer: Rasterizer,
        max_bytes: int | None = None,
        open_files: OpenFiles | None = None,
        measures: CommitMeasures | None = None,
    ) -> None:
        """Create the folders and take the lock. max_bytes: of everything below root; None = no bound. open_files:
        limits the descriptors of all logs together. measures: of the commits of all logs. Raises Precondition if
        another server holds the lock, OSError if the folder cannot be used.
        """
        self._open_files, self._measures = open_files or OpenFiles(), measures
        self._stopped: set[Path] = set()
        self._workspaces, self._temporary, self._rasterizer = root / "workspaces", root / "tmp", rasterizer
        root.mkdir(parents=True, exist_ok=True)
        self._lock = DirectoryLock(root)
        self._quota = DiskQuota(root, max_bytes)
        try:
            shutil.rmtree(self._temporary, ignore_errors=True)  # what a killed server left behind
            for folder in (self._workspaces, self._temporary):
                folder.mkdir(exist_ok=True)
            for home in self._workspaces.iterdir():
                remove_leftovers(home)
        except BaseException:
            self._lock.release()
            raise

    @property
    def address(self) -> str:
        """Where else the logs are: nowhere."""
        return ""

    @property
    def is_shared(self) -> bool:
        return False

    def follow(self, on_changed: Callable[[str], None], loaded: Callable[[], Mapping[str, int]]) -> None:
        """See WorkspaceDirectory: there are no other servers."""

    def measure_lag(self) -> Lag | None:
        return None

    def measure_age_s(self) -> float:
        return 0.0

    def watch_lock(self, on_lost: Callable[[], None]) -> None:
        """Call on_lost, from a thread, if another server may use the directory by now. Until close()."""
        self._lock.watch(on_lost)

    def require_held(self) -> None:
        """Raise Unavailable if another server may use the directory by now."""
        self._lock.require_held()

    def names(self) -> list[str]:
        return sorted(name for home in self._workspaces.iterdir() if (name := read_name(home)) is not None)

    def exists(self, name: str) -> bool:
        return has_workspace(self._home(name))

    def create(self, name: str, visitor: SampleVisitor | None = None) -> SqliteLog:
        if self.exists(name):
            raise AlreadyExists(f"there is already a workspace “{name}”", Reason.WORKSPACE_EXISTS)
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch:
            state, used = scratch / "state.sqlite3", self._find_used(name, None)
            again = Event(ChangeKind.RESET, now_us()) if used.revision else None  # it was deleted, and is created anew
            schema.create(state, name, now_us())
            self._write_name(name, finish(state, name, again, used), scratch)
            put_in_place(state, self.log_path(name))
            return self._open_new(name, visitor)

    def open(self, name: str, visitor: SampleVisitor | None = None) -> SqliteLog:
        try:
            self._require_log(name)
            return self._open_log(name, visitor)
        except DataLoss as error:
            attempts = "; ".join(recovery.attempt_reads(self.log_path(name)))
            _log.error("workspace %r cannot be opened (%s); tried %s", name, error, attempts)
            newest = self.snapshots(name)[:_NAMED_IN_ERRORS]
            named = ", ".join(f"{info.snapshot_id} (“{info.name}”)" for info in newest) or "none"
            raise DataLoss(f"{error.message}; its newest snapshots: {named}", error.reason) from error

    def outline(self, name: str, embedder_hash: str) -> LogOutline:
        return read_outline(self._require_log(name), name, embedder_hash)

    def replace(
        self,
        name: str,
        log: WorkspaceLog | None,
        event: Event,
        snapshot_id: str = "",
        visitor: SampleVisitor | None = None,
    ) -> tuple[SqliteLog, SnapshotInfo | None]:
        path = self.log_path(name)
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch:
            folder, state = self.snapshot_folder(name, scratch), scratch / "state.sqlite3"
            used = self._find_used(name, log)
            if snapshot_id:
                created_us = build_from_snapshot(state, folder, snapshot_id, name, event, used)
            else:
                schema.create(state, name, now_us())
                created_us = finish(state, name, event, used)
            self._write_name(name, created_us, scratch)
            keep = partial(self._keep, folder, log, event.kind.value, used)
            retired = swap(path, log, keep, lambda: put_in_place(state, path))
            return self._open_new(name, visitor), retired

    def repair(self, name: str) -> Repaired:
        """Build a workspace's file anew from what is left of it and of its newest sound snapshot, and move the damaged
        one to the trash. Raises NotFound, Exhausted.
        """
        self._require_exists(name)
        path = self.log_path(name)
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch:
            folder, state = self.snapshot_folder(name, scratch), scratch / "state.sqlite3"
            used = self._find_used(name, None)
            found = self.salvage(name, scratch)
            write_salvaged(state, name, found, used)
            keep = partial(self._keep, folder, None, "repair", used)
            retired = swap(path, None, keep, lambda: put_in_place(state, path))
            self._open_new(name).close()
            return Repaired(found, retired)

    def verify(self, name: str) -> Iterator[Checked]:
        """Check a workspace and its snapshots without changing them; say what a repair would save. Raises NotFound."""
        self._require_exists(name)
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch:
            checked = check_log(self._home(name), name, scratch)
            if checked.problem and not (checked.hint or checked.newer):
                saved = "; ".join(self.salvage(name, scratch).describe())
                checked = replace(checked, hint=f"`haleganada repair --workspace {name}` saves this: {saved}")
            yield checked
            yield from check_snapshots(self.snapshot_folder(name, scratch))

    def salvage(self, name: str, scratch: Path) -> Salvaged:
        """Return what is left of a workspace's damaged file and of its newest sound snapshot."""
        folder, home = self.snapshot_folder(name, scratch), self._home(name)
        return salvage_workspace(home, folder, MarkFile(self._mark_path(name)).read() or Mark(), scratch)

    def delete(self, name: str, log: WorkspaceLog | None) -> SnapshotInfo | None:
        self._require_exists(name)
        path, mark = self.log_path(name), MarkFile(self._mark_path(name))
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch, contextlib.closing(mark):
            used = self._find_used(name, log)
            keep = partial(self._keep, self.snapshot_folder(name, scratch), log, "delete", used)
            return swap(path, log, keep, lambda: remove_log(path, mark, used))

    def save(self, log: WorkspaceLog, name: str, kind: SnapshotKind = SnapshotKind.SAVED) -> SnapshotInfo:
        with self.errors(log.name), scratch_folder(self.temporary_file()) as scratch:
            folder = self.snapshot_folder(log.name, scratch)
            last = log.last_event()
            same = folder.find_same(last.revision if last else 0, last)
            if same is not None and (shared := folder.add_shared(same, name, kind)) is not None:
                return shared
            self.require_room(log.bytes_on_disk())
            state = scratch / "state.sqlite3"
            log.copy_to(state)
            counts = recovery.read_counts(state)  # no check: the log was checked when it was opened, and just read
            if counts is None:
                raise unreadable(log.name, "its copy cannot be read")
            return folder.add(state, name, kind, counts)

    def discard(self, name: str, snapshot: SnapshotInfo) -> int:
        with self.errors(name):  # without a scratch folder, for which a full disk may have no room
            return self.snapshot_folder(name, self._temporary).discard(snapshot)

    def snapshot_bytes(self, name: str) -> int:
        return disk_usage([self._home(name) / "snapshots", self._home(name) / "trash"])

    def require_room(self, needed: int = 0) -> None:
        self._quota.require_room(needed)

    def quota_usage(self) -> tuple[int, int] | None:
        """See DiskQuota.usage."""
        return self._quota.usage()

    def is_sound(self, name: str, snapshot: SnapshotInfo) -> bool:
        return self.snapshot_folder(name, self._temporary).is_sound(snapshot)

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        return self.snapshot_folder(name, self._temporary).all()

    def names_with_snapshots(self) -> list[str]:
        return sorted(
            name
            for home in self._workspaces.iterdir()
            if has_snapshots(home) and (name := read_name(home, deleted=True)) is not None
        )

    def export(self, log: WorkspaceLog, transfer_format: TransferFormat) -> ExportFile:
        with self.errors(log.name), scratch_folder(self.temporary_file()) as scratch:
            state = scratch / "state.sqlite3"
            log.copy_to(state)  # one consistent state, whatever is taught during the export
            with contextlib.closing(LogReader(state, log.name, frozen=True)) as frozen:
                return formats.write(frozen, self._rasterizer, transfer_format, self.temporary_file())

    def export_snapshot(self, name: str, snapshot_id: str, transfer_format: TransferFormat) -> ExportFile:
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch:
            state = scratch / "state.sqlite3"
            self.snapshot_folder(name, scratch).copy_out(snapshot_id, state)
            try:
                with contextlib.closing(SqliteLog(state, name)) as log:  # which upgrades a copy of an older version
                    return formats.write(log, self._rasterizer, transfer_format, self.temporary_file())
            except DataLoss as error:  # an unreadable workspace was moved to the trash as it was
                raise unusable_snapshot(error, name, snapshot_id) from error

    def read_import(
        self,
        path: Path,
        transfer_format: TransferFormat | None,
        folder_names: FolderNames = FolderNames.AUTO,
        on_note: OnNote = ignore_note,
    ) -> Iterator[ImportItem | RefusedItem]:
        return formats.read(path, transfer_format, self._rasterizer, folder_names, on_note)

    def stage_import(self) -> ImportStage:
        return ImportStage(self.temporary_file())

    def temporary_file(self) -> Path:
        return self._temporary / secrets.token_hex(12)

    def close(self) -> None:
        self._lock.release()

    def errors(self, name: str) -> AbstractContextManager[None]:
        """Translate errors; files in DIR/tmp show whether the disk has failed."""
        return storage_errors(name, self._temporary)

    def describe(self, name: str, created_us: int) -> None:
        """Make a workspace's folder, for the snapshots of one whose log is elsewhere. Raises Exhausted, Unavailable."""
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch:
            self._write_name(name, created_us, scratch)

    def adopt(self, name: str, state: Path, created_us: int, *, keeps_mark: bool) -> None:
        """Let a finished file, which was a workspace's log elsewhere, be its log here, in place of one that is not open
        and holds nothing else. keeps_mark: whether the mark is that of an earlier state of the same log. A kill leaves
        the one or the other.
        """
        remove_journals(state)
        files.sync_file(state)
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch:
            self._write_name(name, created_us, scratch)
            if not keeps_mark:
                self._mark_path(name).unlink(missing_ok=True)
                reach("adopt.without_mark")
            put_in_place(state, self.log_path(name))
            self._open_new(name).close()

    def adopt_deleted(self, name: str, used: Mark) -> None:
        """Let a workspace that was deleted elsewhere go on with greater revisions and sample_ids, should it be created
        here.
        """
        known = self.find_mark(name) or Mark()
        if self.exists(name) or used.revision <= known.revision:
            return
        with self.errors(name), scratch_folder(self.temporary_file()) as scratch:
            self._write_name(name, now_us(), scratch)
            with contextlib.closing(MarkFile(self._mark_path(name))) as mark:
                mark.write_durably(replace(used, samples_total=0, deleted=True))

    def find_mark(self, name: str) -> Mark | None:
        """Return how far a workspace has come, also a deleted one; None if that is not known."""
        with self.errors(name):
            return MarkFile(self._mark_path(name)).read()

    def log_path(self, name: str) -> Path:
        """Return where a workspace's log is, or would be."""
        return self._home(name) / LOG

    def list_snapshot_files(self, name: str, info: SnapshotInfo) -> list[Path]:
        """Return the files of a snapshot, the manifest first."""
        return self.snapshot_folder(name, self._temporary).list_files(info)

    def adopt_snapshot(self, name: str, folder: Path, info: SnapshotInfo) -> None:
        """Move the files of another server's snapshot into place. A kill leaves it whole, or unlisted."""
        self.describe(name, info.created_us)
        with self.errors(name):
            self.snapshot_folder(name, self._temporary).adopt(folder, info)

    def snapshot_folder(self, name: str, scratch: Path) -> SnapshotFolder:
        """Return a workspace's snapshots. scratch: a folder for unfinished files."""
        return SnapshotFolder(self._home(name), name, scratch)

    def _home(self, name: str) -> Path:
        return self._workspaces / folder_name(name)

    def _require_exists(self, name: str) -> None:
        """Raise NotFound unless the workspace exists, also as one whose log has vanished."""
        if not self.exists(name):
            raise NotFound("workspace", name, "check the name, or create it first")

    def _require_log(self, name: str) -> Path:
        """Return the path of a workspace's log. Raises NotFound, DataLoss if the log has vanished."""
        home = self._home(name)
        if (lost := find_lost(home)) is not None:
            raise lost_log(home, name, lost)
        self._require_exists(name)
        return home / LOG

    def _mark_path(self, name: str) -> Path:
        return self._home(name) / MARK

    def _write_name(self, name: str, created_us: int, scratch: Path) -> None:
        """Record a workspace's name where it can be read without opening the log, if it is not there yet."""
        home = self._home(name)
        if not (home / DESCRIPTION).exists():
            home.mkdir(exist_ok=True)
            files.write_json(home / DESCRIPTION, {"name": name, "created_us": created_us}, scratch)
            reach("create.named")

    def _open_log(self, name: str, visitor: SampleVisitor | None = None) -> SqliteLog:
        lock, open_files = self._lock.require_held, self._open_files
        return SqliteLog(
            self.log_path(name), name, self._mark_path(name), lock, open_files, self._stopped, visitor, self._measures,
            self._keep_old,
        )  # fmt: skip

    def _keep_old(self, log: SqliteLog, version: int) -> None:
        """Keep a log of an older version, before it is brought up to date, as a snapshot of the kind that nothing
        deletes by itself: that version can restore it. A start after a kill finds it there. Raises as save().
        """
        named = f"format {version}, before the upgrade"
        for kept in self.snapshots(log.name):
            if kept.name.startswith(named) and kept.revision == log.revision() and self.is_sound(log.name, kept):
                break
        else:
            kept = self.save(log, f"{named} of {time.strftime('%Y-%m-%d')}")
        _log.warning(
            "workspace %r: its log of format %d gets format %d, which older versions of the server refuse; the old log "
            "is kept as snapshot %s, and with the older version `haleganada -w %s restore %s` goes back to it",
            log.name, version, schema.VERSION, kept.snapshot_id, log.name, kept.snapshot_id,
        )  # fmt: skip

    def _open_new(self, name: str, visitor: SampleVisitor | None = None) -> SqliteLog:
        """Open a log that has just been put in place."""
        log = self.open(name, visitor)
        log.sync_mark()
        reach("replace.opened")
        return log

    def _keep(self, folder: SnapshotFolder, log: WorkspaceLog | None, why: str, used: Mark) -> SnapshotInfo | None:
        """Give a log's file a second name in the trash; None if it has vanished. log None: it cannot be opened."""
        path = self.log_path(name := folder.name)
        if not path.exists():
            return None
        if log is not None:
            return folder.keep(path, f"before {why}", (log.revision(), log.count()))
        counts = recovery.read_counts(path) or (used.revision, 0)
        state = "of a newer version" if recovery.read_version(path) > schema.VERSION else "damaged"
        _log.warning("workspace %r: its file, which is %s, is moved to the trash", name, state)
        return folder.keep(path, f"before {why} ({state})", counts)

    def _find_used(self, name: str, log: WorkspaceLog | None) -> Mark:
        """Return the greatest revision and sample_id that a workspace ever used, or greater ones if that is unknown:
        if neither the log nor the mark can be read. log: the open log; None = there is none, or it cannot be opened.
        """
        marked = MarkFile(self._mark_path(name)).read()
        known = marked or Mark()
        if log is not None and self.log_path(name).exists():
            return Mark(
                revision=max(log.revision(), known.revision, self._last_kept_revision(name)),
                last_sample_id=max(log.last_sample_id(), known.last_sample_id),
            )
        path, revision = self.log_path(name), max(known.revision, self._last_kept_revision(name))
        counts = recovery.read_counts(path) if path.exists() else (0, 0)
        if counts:
            revision = max(revision, counts[0])
        elif marked is None:
            revision += _REVISION_GAP
        # Each sample has a revision of its own, so that no sample_id is greater than the revision.
        return Mark(revision=revision, last_sample_id=known.last_sample_id if known.revision == revision else revision)

    def _last_kept_revision(self, name: str) -> int:
        """Return the newest revision of any snapshot; 0 without snapshots."""
        return max((info.revision for info in self.snapshots(name)), default=0)
