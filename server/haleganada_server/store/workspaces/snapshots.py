"""Snapshots of one workspace: a copy of its file, and a manifest beside it. A snapshot exists once both do.

A saved snapshot gets its manifest last, so that a listed one is complete. A file that moves to the trash gets it first,
so that the data is always either in its place or listed in the trash.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import time
from dataclasses import asdict
from pathlib import Path

from haleganada_server.core.clock import now_us
from haleganada_server.core.errors import NotFound
from haleganada_server.core.files import file_sha256
from haleganada_server.core.workspaces.types import SnapshotInfo
from haleganada_server.store import files
from haleganada_server.store.errors import damaged_snapshot

_log = logging.getLogger(__name__)
_JOURNALS = ("-wal", "-shm")


class SnapshotFolder:
    """The folders snapshots/ and trash/ of one workspace."""

    def __init__(self, home: Path, name: str, scratch: Path) -> None:
        """scratch: a folder on the same disk, for unfinished files."""
        self._snapshots, self._trash, self._name, self._scratch = home / "snapshots", home / "trash", name, scratch

    def add(self, state: Path, seed_files: Path | None, name: str, counts: tuple[int, int]) -> SnapshotInfo:
        """Move a finished copy of the workspace's file into place, and the folder of seed files made from it.

        name: "" = the current time. counts: revision and number of samples.
        """
        self._snapshots.mkdir(exist_ok=True)
        snapshot_id = _new_id(counts[0])
        target, seed_target = self._snapshots / f"{snapshot_id}.sqlite3", self._snapshots / f"{snapshot_id}-seed-files"
        try:
            if seed_files is not None:
                seed_files.replace(seed_target)
            files.move(state, target)
            return self._write_manifest(target, target, name or time.strftime("%Y-%m-%d %H:%M:%S"), counts, trash=False)
        except BaseException:
            target.unlink(missing_ok=True)
            shutil.rmtree(seed_target, ignore_errors=True)
            raise

    def discard(self, info: SnapshotInfo) -> None:
        """Delete a snapshot, the manifest first, so that a listed one is complete."""
        path = self._file(info)
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        shutil.rmtree(path.with_name(f"{info.snapshot_id}-seed-files"), ignore_errors=True)

    def describe_for_trash(self, path: Path, why: str, counts: tuple[int, int]) -> SnapshotInfo:
        """Do the first half of moving a file to the trash, which needs disk space: write its manifest."""
        self._trash.mkdir(exist_ok=True)
        target = self._trash / f"{_new_id(counts[0])}.sqlite3"
        return self._write_manifest(path, target, f"before {why}", counts, trash=True)

    def move_to_trash(self, path: Path, info: SnapshotInfo) -> None:
        """Do the second half, which needs none: move the closed file, with the journals of a corrupt one."""
        target = self._file(info)
        for suffix in _JOURNALS:
            if (journal := path.with_name(path.name + suffix)).exists():
                files.copy(journal, target.with_name(target.name + suffix))
        path.replace(target)
        remove_journals(path)
        files.sync_folder(path.parent)
        files.sync_folder(target.parent)

    def move_back(self, info: SnapshotInfo, path: Path) -> None:
        """Undo move_to_trash; `path` must not exist."""
        source = self._file(info)
        for suffix in _JOURNALS:
            if (journal := source.with_name(source.name + suffix)).exists():
                journal.replace(path.with_name(path.name + suffix))
        source.replace(path)
        files.sync_folder(path.parent)
        source.with_suffix(".json").unlink(missing_ok=True)

    def all(self) -> list[SnapshotInfo]:
        """Return all snapshots, the newest first; log and skip unreadable manifests."""
        found = []
        for manifest in [*self._snapshots.glob("*.json"), *self._trash.glob("*.json")]:
            if not manifest.with_suffix(".sqlite3").exists():
                continue  # the server was killed before it moved the file to the trash
            try:
                found.append(SnapshotInfo(**json.loads(manifest.read_text(encoding="utf-8"))))
            except (ValueError, TypeError, OSError) as error:
                _log.warning("snapshot %s of workspace %r is skipped: %s", manifest.stem, self._name, error)
        return sorted(found, key=lambda info: (info.created_us, info.revision), reverse=True)

    def copy_out(self, snapshot_id: str, target: Path) -> None:
        """Copy the file of a snapshot, and check it. Raises NotFound, DataLoss."""
        info = next((info for info in self.all() if info.snapshot_id == snapshot_id), None)
        if info is None:
            raise NotFound("snapshot", snapshot_id, f"list the snapshots of “{self._name}”")
        source = self._file(info)
        if file_sha256(source) != info.sha256:
            raise damaged_snapshot(self._name, snapshot_id)
        for suffix in ("", *_JOURNALS):
            if (part := source.with_name(source.name + suffix)).exists():
                files.copy(part, target.with_name(target.name + suffix))

    def _file(self, info: SnapshotInfo) -> Path:
        return (self._trash if info.trash else self._snapshots) / f"{info.snapshot_id}.sqlite3"

    def _write_manifest(
        self, path: Path, target: Path, name: str, counts: tuple[int, int], *, trash: bool
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
            sha256=file_sha256(path),
            trash=trash,
        )
        files.write_json(target.with_suffix(".json"), asdict(info), self._scratch)
        return info


def remove_journals(path: Path) -> None:
    """Remove the journals of a file that no longer exists; SQLite would take them for those of the next one."""
    for suffix in _JOURNALS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _new_id(revision: int) -> str:
    """Return an id that is unique even if the clock jumps: the revision, for people, and random digits."""
    return f"r{revision}-{secrets.token_hex(6)}"
