"""Kept states of one workspace: a copy of its file with a manifest beside it. A snapshot exists once its manifest
does.
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
from haleganada_server.core.ports import WorkspaceLog
from haleganada_server.core.types import SnapshotInfo

from . import files
from .failures import corrupt
from .log import SqliteLog

_log = logging.getLogger(__name__)


class SnapshotFolder:
    """The folders snapshots/ and trash/ of one workspace."""

    def __init__(self, home: Path, name: str) -> None:
        self._kept, self._trash, self._name = home / "snapshots", home / "trash", name
        for folder in (self._kept, self._trash):
            folder.mkdir(exist_ok=True)

    def keep(self, log: WorkspaceLog, name: str) -> SnapshotInfo:
        """Copy a log's present state."""
        snapshot_id = _new_id(log.revision())
        target = self._kept / f"{snapshot_id}.sqlite3"
        beside = target.with_suffix(".new")
        try:
            log.copy_to(beside)
            files.move(beside, target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        copy = SqliteLog(target, self._name)  # what the copy holds, which may be newer than a moment ago
        facts = (copy.revision(), copy.count())
        copy.close()
        return self._describe(target, snapshot_id, name or time.strftime("%Y-%m-%d %H:%M:%S"), facts, trash=False)

    def file(self, kept: SnapshotInfo) -> Path:
        """Where a kept state lives."""
        return (self._trash if kept.trash else self._kept) / f"{kept.snapshot_id}.sqlite3"

    def seed_folder(self, snapshot_id: str) -> Path:
        """Where the seed-format files of a snapshot live."""
        return self._kept / f"{snapshot_id}-seed-files"

    def throw_away(self, path: Path, why: str, facts: tuple[int, int]) -> SnapshotInfo:
        """Move a closed file to the trash; facts: its revision and number of samples."""
        snapshot_id = _new_id(facts[0])
        target = self._trash / f"{snapshot_id}.sqlite3"
        for suffix in ("-wal", "-shm"):  # a corrupt file may still have them
            journal = path.with_name(path.name + suffix)
            if journal.exists():
                journal.replace(target.with_name(target.name + suffix))
        path.replace(target)
        files.sync_folder(path.parent)
        return self._describe(target, snapshot_id, f"before {why}", facts, trash=True)

    def take_out(self, thrown_away: SnapshotInfo, target: Path) -> None:
        """The reverse of throw_away."""
        path = self.file(thrown_away)
        path.with_suffix(".json").unlink(missing_ok=True)
        path.replace(target)
        files.sync_folder(target.parent)

    def all(self) -> list[SnapshotInfo]:
        """Newest first; a manifest that cannot be read is passed over, and logged."""
        found = []
        for manifest in [*self._kept.glob("*.json"), *self._trash.glob("*.json")]:
            try:
                found.append(SnapshotInfo(**json.loads(manifest.read_text(encoding="utf-8"))))
            except (ValueError, TypeError, OSError) as error:
                _log.warning("snapshot %s of workspace %r is passed over: %s", manifest.stem, self._name, error)
        return sorted(found, key=lambda kept: (kept.created_us, kept.revision), reverse=True)

    def copy_out(self, snapshot_id: str, target: Path) -> None:
        """Put a checked copy of a kept file in place. Raises NotFound, DataLoss."""
        kept = next((kept for kept in self.all() if kept.snapshot_id == snapshot_id), None)
        if kept is None:
            raise NotFound("snapshot", snapshot_id, f"list the snapshots of “{self._name}”")
        source = self.file(kept)
        if not source.exists() or files.sha256(source) != kept.sha256:
            raise corrupt(self._name, f"the snapshot {snapshot_id} is missing or damaged; choose another one")
        beside = target.with_suffix(".new")
        shutil.copyfile(source, beside)
        for suffix in ("-wal", "-shm"):
            if (journal := source.with_name(source.name + suffix)).exists():
                shutil.copyfile(journal, target.with_name(target.name + suffix))
        files.move(beside, target)

    def _describe(
        self, path: Path, snapshot_id: str, name: str, facts: tuple[int, int], *, trash: bool
    ) -> SnapshotInfo:
        size, digest = path.stat().st_size, files.sha256(path)
        info = SnapshotInfo(snapshot_id, name, *facts, time.time_ns() // 1000, size, digest, trash)
        files.write_json(path.with_suffix(".json"), asdict(info))
        return info


def _new_id(revision: int) -> str:
    """Unique even if the clock jumps: the revision, for people, and chance."""
    return f"r{revision}-{secrets.token_hex(6)}"
