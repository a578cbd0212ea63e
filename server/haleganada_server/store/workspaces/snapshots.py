"""Kept states of one workspace: a copy of its file, and a manifest beside it. A state exists once both do.

What is saved gets its manifest last, so that a listed state is whole. What is thrown away gets it first, so that there
is no moment in which the data is neither in its place nor listed in the trash.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import time
from dataclasses import asdict
from pathlib import Path

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
        """scratch: a folder on the same disk, for files that are not finished."""
        self._kept, self._trash, self._name, self._scratch = home / "snapshots", home / "trash", name, scratch

    def keep(self, state: Path, seed_files: Path | None, name: str, facts: tuple[int, int]) -> SnapshotInfo:
        """Take over a finished copy of the workspace's file, and the folder of seed-format files made from it.

        name: "" = the time of now. facts: revision and number of samples.
        """
        self._kept.mkdir(exist_ok=True)
        snapshot_id = _new_id(facts[0])
        target, seed_target = self._kept / f"{snapshot_id}.sqlite3", self._kept / f"{snapshot_id}-seed-files"
        try:
            if seed_files is not None:
                seed_files.replace(seed_target)
            files.move(state, target)
            return self._describe(target, target, name or time.strftime("%Y-%m-%d %H:%M:%S"), facts, trash=False)
        except BaseException:
            target.unlink(missing_ok=True)
            shutil.rmtree(seed_target, ignore_errors=True)
            raise

    def discard(self, info: SnapshotInfo) -> None:
        """Delete a kept state, the manifest first, so that what is listed is whole."""
        path = self._file(info)
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        shutil.rmtree(path.with_name(f"{info.snapshot_id}-seed-files"), ignore_errors=True)

    def describe_for_trash(self, path: Path, why: str, facts: tuple[int, int]) -> SnapshotInfo:
        """The first half of throwing a file away, which needs room on the disk: its manifest."""
        self._trash.mkdir(exist_ok=True)
        target = self._trash / f"{_new_id(facts[0])}.sqlite3"
        return self._describe(path, target, f"before {why}", facts, trash=True)

    def throw_away(self, path: Path, info: SnapshotInfo) -> None:
        """The second half, which needs none: move the closed file. A corrupt one may still have its journals."""
        target = self._file(info)
        for suffix in _JOURNALS:
            if (journal := path.with_name(path.name + suffix)).exists():
                files.copy(journal, target.with_name(target.name + suffix))
        path.replace(target)
        discard_journals(path)
        files.sync_folder(path.parent)
        files.sync_folder(target.parent)

    def take_back(self, info: SnapshotInfo, path: Path) -> None:
        """Undo throw_away; the place must be free."""
        source = self._file(info)
        for suffix in _JOURNALS:
            if (journal := source.with_name(source.name + suffix)).exists():
                journal.replace(path.with_name(path.name + suffix))
        source.replace(path)
        files.sync_folder(path.parent)
        source.with_suffix(".json").unlink(missing_ok=True)

    def all(self) -> list[SnapshotInfo]:
        """Newest first; a manifest that cannot be read is passed over, and logged."""
        found = []
        for manifest in [*self._kept.glob("*.json"), *self._trash.glob("*.json")]:
            if not manifest.with_suffix(".sqlite3").exists():
                continue  # the server was killed before the file was thrown away: it is still in its place
            try:
                found.append(SnapshotInfo(**json.loads(manifest.read_text(encoding="utf-8"))))
            except (ValueError, TypeError, OSError) as error:
                _log.warning("snapshot %s of workspace %r is passed over: %s", manifest.stem, self._name, error)
        return sorted(found, key=lambda kept: (kept.created_us, kept.revision), reverse=True)

    def copy_out(self, snapshot_id: str, target: Path) -> None:
        """A checked copy of a kept file. Raises NotFound, DataLoss."""
        kept = next((kept for kept in self.all() if kept.snapshot_id == snapshot_id), None)
        if kept is None:
            raise NotFound("snapshot", snapshot_id, f"list the snapshots of “{self._name}”")
        source = self._file(kept)
        if file_sha256(source) != kept.sha256:
            raise damaged_snapshot(self._name, snapshot_id)
        for suffix in ("", *_JOURNALS):
            if (part := source.with_name(source.name + suffix)).exists():
                files.copy(part, target.with_name(target.name + suffix))

    def _file(self, info: SnapshotInfo) -> Path:
        return (self._trash if info.trash else self._kept) / f"{info.snapshot_id}.sqlite3"

    def _describe(self, path: Path, target: Path, name: str, facts: tuple[int, int], *, trash: bool) -> SnapshotInfo:
        """Write the manifest beside `target`, of what is at `path` now."""
        size, digest = path.stat().st_size, file_sha256(path)
        info = SnapshotInfo(target.stem, name, *facts, time.time_ns() // 1000, size, digest, trash)
        files.write_json(target.with_suffix(".json"), asdict(info), self._scratch)
        return info


def discard_journals(path: Path) -> None:
    """Remove what belongs to a file that is no longer there; SQLite would take it for the next one's."""
    for suffix in _JOURNALS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _new_id(revision: int) -> str:
    """Unique even if the clock jumps: the revision, for people, and chance."""
    return f"r{revision}-{secrets.token_hex(6)}"
