"""Snapshots of one workspace: a copy of its file, and a manifest beside it. A snapshot exists once both do.

The manifest comes first and the file second, in one rename, so that a listed snapshot is complete; the file goes first
when a snapshot is deleted. A manifest without a file is left over from a kill, and removed at the next start.

Snapshots of the same state share one file by a hard link.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import sqlite3
import time
import zlib
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from haleganada_server.core.clock import now_us
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.disk.files import file_sha256, measure_size
from haleganada_server.core.errors import DataLoss, NotFound
from haleganada_server.core.machine_errors import raise_machine_error
from haleganada_server.core.sample_log.rows import Event
from haleganada_server.core.workspaces.types import SnapshotInfo, SnapshotKind
from haleganada_server.store import files
from haleganada_server.store.disk_probe import PROBE
from haleganada_server.store.errors import damaged_snapshot, storage_errors
from haleganada_server.store.sample_log import row_mapping, schema
from haleganada_server.store.sample_log.integrity import recovery
from haleganada_server.store.sample_log.integrity.inspection import SqliteRows, inspect_rows

from .home import LOG

_log = logging.getLogger(__name__)
_JOURNALS = ("-wal", "-shm")


class SnapshotFolder:
    """The folders snapshots/ and trash/ of one workspace."""

    def __init__(self, home: Path, name: str, scratch: Path) -> None:
        """scratch: a folder on the same disk, for unfinished files."""
        self._snapshots, self._trash, self._name, self._scratch = home / "snapshots", home / "trash", name, scratch

    @property
    def name(self) -> str:
        """Name of the workspace."""
        return self._name

    def add(self, state: Path, name: str, kind: SnapshotKind, counts: tuple[int, int]) -> SnapshotInfo:
        """Move a finished copy of the workspace's file into place. name: "" = the current time. counts: revision and
        number of samples.
        """
        return self._put(state, name, kind, counts, file_sha256(state))

    def add_shared(self, same: SnapshotInfo, name: str, kind: SnapshotKind) -> SnapshotInfo | None:
        """Add a snapshot of the state that another one holds, which shares its file; None if that is damaged."""
        source, linked = self._file(same), self._scratch / "shared.sqlite3"
        try:
            files.link(source, linked)
        except FileNotFoundError:  # it was deleted meanwhile
            return None
        if file_sha256(linked) != same.sha256:
            return None
        return self._put(linked, name, kind, (same.revision, same.samples_total), same.sha256)

    def find_same(self, revision: int, last_event: Event | None) -> SnapshotInfo | None:
        """Return a snapshot of the state at this revision, whose last event is `last_event`; None if there is none."""
        for info in self.all():
            if info.revision == revision and not info.trash:
                with suppress(sqlite3.DatabaseError, ValueError):  # it is damaged, or was deleted meanwhile
                    if _read_last_event(self._file(info)) == last_event:
                        return info
        return None

    def is_sound(self, info: SnapshotInfo) -> bool:
        """Return whether a snapshot is what was written, and what was written is undamaged. One with journals counts as
        damaged.
        """
        path = self._file(info)
        if any(path.with_name(path.name + suffix).exists() for suffix in _JOURNALS):
            return False
        try:
            if file_sha256(path) != info.sha256:
                return False
            with storage_errors(self._name, path), closing(schema.connect_reader(path, frozen=True)) as connection:
                schema.check(connection, self._name)
                return not schema.has_checks(connection) or _has_sound_rows(connection)
        except (DataLoss, FileNotFoundError):  # errors of the machine say nothing about the file
            return False

    def is_newer(self, info: SnapshotInfo) -> bool:
        """Return whether a newer version of the server has written a snapshot's file."""
        return recovery.read_version(self._file(info), frozen=True) > schema.VERSION

    def _put(self, state: Path, name: str, kind: SnapshotKind, counts: tuple[int, int], sha256: str) -> SnapshotInfo:
        self._snapshots.mkdir(exist_ok=True)
        target = self._snapshots / f"{_new_id(counts[0])}.sqlite3"
        try:
            name = name or time.strftime("%Y-%m-%d %H:%M:%S")
            info = self._write_manifest(state, target, name, counts, kind, sha256)
            reach("snapshot.described")
            files.move(state, target)
            reach("snapshot.moved")
        except BaseException:
            target.unlink(missing_ok=True)
            target.with_suffix(".json").unlink(missing_ok=True)
            raise
        return info

    def discard(self, info: SnapshotInfo) -> int:
        """Delete a snapshot and return the bytes that this frees. First its file moves to the temporary folder, in one
        rename, so that it is complete or unlisted; the next start finishes what a kill interrupts.
        """
        path, doomed = self._file(info), self._scratch / secrets.token_hex(12)
        try:
            path.replace(doomed)
        except FileNotFoundError:
            return 0
        reach("discard.moved")
        files.sync_folder(path.parent)
        found = doomed.stat()
        _remove_leftovers_of(path)
        reach("discard.unlisted")
        doomed.unlink()
        return found.st_size if found.st_nlink == 1 else 0

    def keep(self, path: Path, why: str, counts: tuple[int, int]) -> SnapshotInfo:
        """Give a workspace's file, to which nobody writes, a second name in the trash; copy a corrupt one's journal. An
        error leaves nothing behind.
        """
        self._trash.mkdir(exist_ok=True)
        target, linked = self._trash / f"{_new_id(counts[0])}.sqlite3", self._scratch / "kept.sqlite3"
        try:
            files.link(path, linked)
            info = self._write_manifest(path, target, why, counts, SnapshotKind.TRASH, file_sha256(path))
            reach("keep.described")
            journal = path.with_name(path.name + _JOURNALS[0])  # the other one is an index of it, which SQLite remakes
            if measure_size(journal):
                files.copy(journal, target.with_name(target.name + _JOURNALS[0]))
            reach("keep.with_journal")
            linked.replace(target)
            reach("keep.listed")
            files.sync_folder(target.parent)
        except BaseException:
            target.unlink(missing_ok=True)
            _remove_leftovers_of(target)
            raise
        return info

    def all(self) -> list[SnapshotInfo]:
        """Return all snapshots, the newest first. One whose manifest is damaged or missing is listed as that, and not
        restored.
        """
        found = []
        for path in [*self._snapshots.glob("*.sqlite3"), *self._trash.glob("*.sqlite3")]:
            try:
                found.append(parse_manifest(path.with_suffix(".json").read_text(encoding="utf-8")))
            except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
                raise_machine_error(error)
                with suppress(FileNotFoundError):  # it was deleted meanwhile
                    found.append(_describe_damaged(path, path.parent == self._trash))
                    _log.warning("the manifest of snapshot %s of %r is damaged: %s", path.stem, self._name, error)
        return sorted(found, key=lambda info: (info.created_us, info.revision), reverse=True)

    def list_files(self, info: SnapshotInfo) -> list[Path]:
        """Return the files of a snapshot, the manifest first."""
        path = self._file(info)
        journals = [path.with_name(path.name + suffix) for suffix in _JOURNALS]
        return [path.with_suffix(".json"), *(journal for journal in journals if journal.exists()), path]

    def adopt(self, folder: Path, info: SnapshotInfo) -> None:
        """Move the files of a snapshot of another server into place, the last one in one rename."""
        target = self._file(info)
        target.parent.mkdir(exist_ok=True)
        for place in [
            target.with_suffix(".json"),
            *(target.with_name(target.name + suffix) for suffix in _JOURNALS),
            target,
        ]:
            if (path := folder / place.name).exists():
                files.move(path, place)

    def copy_out(self, snapshot_id: str, target: Path) -> None:
        """Copy the file of a snapshot, and check it. Raises NotFound, DataLoss."""
        info = next((info for info in self.all() if info.snapshot_id == snapshot_id), None)
        if info is None:
            raise NotFound("snapshot", snapshot_id, f"list the snapshots of “{self._name}”")
        source = self._file(info)
        try:
            if file_sha256(source) != info.sha256:
                raise damaged_snapshot(self._name, snapshot_id)
            files.copy(source, target)
        except FileNotFoundError:
            raise NotFound("snapshot", snapshot_id, "it was deleted meanwhile") from None
        for suffix in _JOURNALS:
            if (part := source.with_name(source.name + suffix)).exists():
                files.copy(part, target.with_name(target.name + suffix))

    def _file(self, info: SnapshotInfo) -> Path:
        return (self._trash if info.trash else self._snapshots) / f"{info.snapshot_id}.sqlite3"

    def _write_manifest(
        self, path: Path, target: Path, name: str, counts: tuple[int, int], kind: SnapshotKind, sha256: str
    ) -> SnapshotInfo:
        """Write the manifest for the file at `path`, beside its future place `target`."""
        revision, samples_total = counts
        info = SnapshotInfo(
            snapshot_id=target.stem,
            name=name,
            revision=revision,
            samples_total=samples_total,
            created_us=now_us(),
            bytes=path.stat().st_size,
            sha256=sha256,
            trash=kind is SnapshotKind.TRASH,
            kind=kind,
        )
        values = {**asdict(info), "kind": kind.value}
        manifest = {**values, "check": _manifest_check(values)}
        files.write_json(target.with_suffix(".json"), manifest, self._scratch)
        return info


def _has_sound_rows(connection: sqlite3.Connection) -> bool:
    checks = schema.read_checks(connection)
    return checks is not None and not inspect_rows(SqliteRows(connection), checks).describe()


def _read_last_event(path: Path) -> Event | None:
    """Return the last event in a snapshot's file without checking the rest of it. Raises sqlite3.DatabaseError."""
    with closing(schema.connect_reader(path, frozen=True)) as connection:
        query = f"SELECT {row_mapping.EVENT} FROM events ORDER BY revision DESC LIMIT 1"
        row = connection.execute(query).fetchone()
    return row_mapping.to_event(row) if row else None


def remove_journals(path: Path) -> None:
    """Remove the journals of a file that no longer exists; SQLite would take them for those of the next one."""
    for suffix in _JOURNALS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def has_snapshots(home: Path) -> bool:
    """Return whether a workspace's folder holds snapshots or trash."""
    return any(next(home.glob(f"{folder}/*.sqlite3"), None) for folder in ("snapshots", "trash"))


def remove_leftovers(home: Path) -> None:
    """Finish what a kill interrupted in a workspace's folder: remove the manifests whose files are gone, and the files
    with which a failing disk was asked why.
    """
    _undo_keeping(home)
    for probe in home.glob(f"{PROBE}*"):
        probe.unlink()
    for manifest in [*home.glob("snapshots/*.json"), *home.glob("trash/*.json")]:
        if not (file := manifest.with_suffix(".sqlite3")).exists():
            _log.warning("removing what is left of snapshot %s, which was being written or deleted", manifest.stem)
            _remove_leftovers_of(file)


def _undo_keeping(home: Path) -> None:
    """Remove the second names of a log that a kill kept from being replaced, and give a corrupt one its journals
    back.
    """
    log = home / LOG
    if not log.exists():
        return
    for kept in home.glob("trash/*.sqlite3"):
        if kept.samefile(log):
            _log.warning("the log in %s was being replaced when the server was killed; it is as before", home.name)
            for suffix in _JOURNALS:
                saved, journal = kept.with_name(kept.name + suffix), log.with_name(log.name + suffix)
                if saved.exists() and not journal.exists():
                    saved.replace(journal)
            reach("leftovers.journal_back")
            kept.unlink()
            reach("leftovers.unlinked")
            _remove_leftovers_of(kept)


def _remove_leftovers_of(path: Path) -> None:
    """Remove what lies beside the file of a snapshot that no longer exists, the manifest last."""
    remove_journals(path)
    shutil.rmtree(path.with_name(f"{path.stem}-seed-files"), ignore_errors=True)  # of earlier versions
    path.with_suffix(".json").unlink(missing_ok=True)


def parse_manifest(text: str) -> SnapshotInfo:
    """Return what a manifest says. Raises ValueError, TypeError or KeyError if it is not as it was written."""
    return _from_json(json.loads(text))


def _from_json(manifest: dict[str, Any]) -> SnapshotInfo:
    """Return what a manifest says, also one of a version that recorded no kinds. Raises TypeError, ValueError."""
    check = manifest.pop("check", None)  # earlier versions wrote none
    if check not in (None, _manifest_check(manifest)):
        raise ValueError("it has changed since it was written")
    fallback = SnapshotKind.TRASH if manifest["trash"] else SnapshotKind.SAVED
    return SnapshotInfo(**{**manifest, "kind": SnapshotKind(manifest.get("kind", fallback))})


def _manifest_check(manifest: dict[str, Any]) -> str:
    """Return the checksum of a manifest's values."""
    return f"{zlib.crc32(json.dumps(manifest, sort_keys=True).encode()):08x}"


def _describe_damaged(path: Path, trash: bool) -> SnapshotInfo:
    """Describe a snapshot by its file alone. No file has this SHA-256, so that it is never restored."""
    found = path.stat()
    return SnapshotInfo(
        snapshot_id=path.stem,
        name="damaged",
        revision=0,
        samples_total=0,
        created_us=found.st_mtime_ns // 1000,
        bytes=found.st_size,
        sha256="",
        trash=trash,
        kind=SnapshotKind.TRASH if trash else SnapshotKind.SAVED,
    )


def _new_id(revision: int) -> str:
    """Return an id that is unique even if the clock jumps: the revision, for people, and random digits."""
    return f"r{revision}-{secrets.token_hex(6)}"
