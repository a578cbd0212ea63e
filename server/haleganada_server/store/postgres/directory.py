"""The workspaces in the database, and beside them the data directory of this server, which keeps what its own is:
snapshots, the trash, uploads and exports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from haleganada_server.core.clock import now_us
from haleganada_server.core.disk.files import scratch_folder
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, DataLoss
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.measures import CommitMeasures
from haleganada_server.core.sample_log.ports import LogReplaced, SampleVisitor, WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.core.workspaces.ports import ExportFile, ImportItem, LogOutline, OnNote, ignore_note
from haleganada_server.core.workspaces.types import Lag, RefusedItem, SnapshotInfo, SnapshotKind, TransferFormat
from haleganada_server.store.import_stage import ImportStage
from haleganada_server.store.sample_log import schema
from haleganada_server.store.sample_log.mark import NO_DIGEST
from haleganada_server.store.workspaces.directory import DataDirectory
from haleganada_server.store.workspaces.replacement import build_from_snapshot, finish
from haleganada_server.store.workspaces.snapshots import SnapshotFolder

from .connections import Connection
from .copying import emptied, put_file, remove_log, write_file
from .database import Database
from .errors import database_errors
from .feed import Feed
from .log import PostgresLog, require_position
from .position import ADD, LOCK, READ, SET, Position

if TYPE_CHECKING:
    from .shared.snapshots import SharedSnapshots

_OUTLINE = (
    "SELECT (SELECT count(DISTINCT label) FROM samples WHERE log_id = %s AND NOT forgotten), "
    "(SELECT count(*) FROM samples WHERE log_id = %s AND NOT forgotten AND embedder_hash <> %s)"
)


class PostgresDirectory:
    """core.workspaces.ports.WorkspaceDirectory over a database. Names of workspaces are expected in NFC."""

    def __init__(
        self,
        database: Database,
        own: DataDirectory,
        embedder_hash: str,
        measures: CommitMeasures | None = None,
        snapshots: SharedSnapshots | None = None,
    ) -> None:
        """database: closed by close(), and at once if this raises. own: this server's data directory. embedder_hash: of
        the current weights. measures: of the commits of all logs. snapshots: those of all servers; None = each has its
        own. Raises Precondition if servers with other weights use the database.
        """
        self._database, self._own, self._measures, self._snapshots = database, own, measures, snapshots
        try:
            self._feed = Feed(database, embedder_hash)
        except BaseException:
            database.close()
            raise

    def follow(self, on_changed: Callable[[str], None], loaded: Callable[[], Mapping[str, int]]) -> None:
        self._feed.start(on_changed, loaded)

    def measure_lag(self) -> Lag | None:
        return self._feed.measure_lag()

    def measure_age_s(self) -> float:
        return self._feed.age_s()

    @property
    def address(self) -> str:
        """Where the database is, for people."""
        return self._database.address

    @property
    def is_shared(self) -> bool:
        return True

    def names(self) -> list[str]:
        with database_errors("of all"):
            found = self._database.fetch("SELECT name FROM workspaces WHERE NOT deleted ORDER BY name")
        return [row[0] for row in found]

    def exists(self, name: str) -> bool:
        with database_errors(name):
            found = self._database.fetch(READ, (name,))
        return bool(found) and not Position(*found[0]).deleted

    def create(self, name: str, visitor: SampleVisitor | None = None) -> PostgresLog:
        with self._changing(name) as (connection, before, scratch):
            if not before.deleted:
                raise AlreadyExists(f"there is already a workspace “{name}”", Reason.WORKSPACE_EXISTS)
            state, used = scratch / "state.sqlite3", before.to_mark()
            schema.create(state, name, now_us())
            finish(state, name, Event(ChangeKind.RESET, now_us()) if used.revision else None, used)
            self._put(connection, name, before, state)
        return self.open(name, visitor)

    def open(self, name: str, visitor: SampleVisitor | None = None) -> PostgresLog:
        return PostgresLog(
            self._database, name, visitor, self._own.require_held, lambda: self._feed.tell(name), self._measures
        )

    def outline(self, name: str, embedder_hash: str) -> LogOutline:
        with database_errors(name):
            found = self._database.fetch(READ, (name,))
            position = require_position(name, found[0] if found else None)
            ((labels, stale),) = self._database.fetch(_OUTLINE, (position.log_id, position.log_id, embedder_hash))
        return LogOutline(
            revision=position.revision,
            samples_total=position.samples_total,
            labels_known=labels,
            samples_to_embed=stale,
            created_us=position.created_us,
            bytes_on_disk=position.stored_bytes,
        )

    def replace(
        self,
        name: str,
        log: WorkspaceLog | None,
        event: Event,
        snapshot_id: str = "",
        visitor: SampleVisitor | None = None,
    ) -> tuple[PostgresLog, SnapshotInfo | None]:
        if snapshot_id:
            self._fetch(name, snapshot_id)
        with self._changing(name) as (connection, before, scratch):
            _require_unchanged(log, before, event)
            state, used = scratch / "state.sqlite3", before.to_mark()
            folder = self._own.snapshot_folder(name, scratch)
            if snapshot_id:
                build_from_snapshot(state, folder, snapshot_id, name, event, used)
            else:
                schema.create(state, name, now_us())
                finish(state, name, event, used)
            with self._kept(connection, name, before, event.kind.value, scratch) as retired:
                self._put(connection, name, before, state)
        if log is not None:
            log.close()
        self._share(name)
        return self.open(name, visitor), retired

    def delete(self, name: str, log: WorkspaceLog | None) -> SnapshotInfo | None:
        with self._changing(name) as (connection, before, scratch):
            require_position(name, before.values())
            with self._kept(connection, name, before, "delete", scratch) as retired:
                remove_log(connection, before.log_id)
                connection.execute(SET, (*emptied(before).values(), name))
                connection.execute("COMMIT")
        if log is not None:
            log.close()
        self._share(name)
        return retired

    def save(self, log: WorkspaceLog, name: str, kind: SnapshotKind = SnapshotKind.SAVED) -> SnapshotInfo:
        self._own.describe(log.name, log.created_us)
        saved = self._own.save(log, name, kind)
        self._share(log.name)
        return saved

    def discard(self, name: str, snapshot: SnapshotInfo) -> int:
        return (self._snapshots or self._own).discard(name, snapshot)

    def snapshot_bytes(self, name: str) -> int:
        return self._own.snapshot_bytes(name)

    def require_room(self, needed: int = 0) -> None:
        self._own.require_room(needed)

    def is_sound(self, name: str, snapshot: SnapshotInfo) -> bool:
        try:
            self._fetch(name, snapshot.snapshot_id)
        except DataLoss:
            return False
        return self._own.is_sound(name, snapshot)

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        return self._own.snapshots(name) if self._snapshots is None else self._snapshots.all(name)

    def names_with_snapshots(self) -> list[str]:
        return self._own.names_with_snapshots() if self._snapshots is None else self._snapshots.names()

    def export(self, log: WorkspaceLog, transfer_format: TransferFormat) -> ExportFile:
        return self._own.export(log, transfer_format)

    def export_snapshot(self, name: str, snapshot_id: str, transfer_format: TransferFormat) -> ExportFile:
        self._fetch(name, snapshot_id)
        return self._own.export_snapshot(name, snapshot_id, transfer_format)

    def read_import(
        self,
        path: Path,
        transfer_format: TransferFormat | None,
        folder_names: FolderNames = FolderNames.AUTO,
        on_note: OnNote = ignore_note,
    ) -> Iterator[ImportItem | RefusedItem]:
        return self._own.read_import(path, transfer_format, folder_names, on_note)

    def stage_import(self) -> ImportStage:
        return self._own.stage_import()

    def temporary_file(self) -> Path:
        return self._own.temporary_file()

    def close(self) -> None:
        """Close the connections, and release the data directory."""
        self._feed.close()
        self._database.close()
        self._own.close()

    def _fetch(self, name: str, snapshot_id: str) -> None:
        """Let this server have a snapshot of another one. Raises DataLoss, Unavailable."""
        if self._snapshots is not None:
            self._snapshots.fetch(name, snapshot_id)

    def _share(self, name: str) -> None:
        """Let other servers have a workspace's snapshots."""
        if self._snapshots is not None:
            self._snapshots.share(name)

    @contextmanager
    def _changing(self, name: str) -> Iterator[tuple[Connection, Position, Path]]:
        """Give the block the workspace's turn among all servers, its position, deleted if it does not exist, and a
        folder for what is unfinished. The block commits.
        """
        self._own.require_held()
        with (
            self._own.errors(name),
            database_errors(name),
            scratch_folder(self.temporary_file()) as scratch,
        ):
            self._database.execute(ADD, (name, NO_DIGEST))
            with self._database.transaction(LOCK, (name,)) as (connection, row):
                position = Position.of(row)
                assert position is not None, "rows are never removed"
                yield connection, position, scratch
        self._feed.tell(name)

    def _put(self, connection: Connection, name: str, before: Position, state: Path) -> None:
        """Let the log in a finished file be the workspace's, in place of the one before, and commit."""
        position = put_file(connection, name, before, state)
        connection.execute("COMMIT")
        self._own.describe(name, position.created_us)

    @contextmanager
    def _kept(
        self, connection: Connection, name: str, before: Position, why: str, scratch: Path
    ) -> Iterator[SnapshotInfo | None]:
        """Keep a copy of a log in this server's trash while the block replaces it, and after that unless it fails."""
        if before.deleted:
            yield None
            return
        self._own.describe(name, before.created_us)
        folder: SnapshotFolder = self._own.snapshot_folder(name, scratch)
        copy = scratch / "old.sqlite3"
        write_file(connection, before, copy, name)
        retired = folder.keep(copy, f"before {why}", (before.revision, before.samples_total))
        try:
            yield retired
        except BaseException:
            folder.discard(retired)
            raise


def _require_unchanged(log: WorkspaceLog | None, before: Position, event: Event) -> None:
    """Raise LogReplaced if others have changed the workspace since its caller looked, who has to look again."""
    if isinstance(log, PostgresLog) and (
        before.deleted or log.log_id != before.log_id or before.revision >= event.revision > 0
    ):
        raise LogReplaced
