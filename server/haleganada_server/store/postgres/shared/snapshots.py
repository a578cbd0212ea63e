"""Snapshots and trash that all servers of a database have: each keeps those that it made, and fetches others to restore
them. A snapshot that the object store does not take at once stays at its server, and is offered again.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading

from haleganada_server.core.errors import DataLoss, HaleganadaError
from haleganada_server.core.workspaces.types import SnapshotInfo
from haleganada_server.store import DataDirectory, files
from haleganada_server.store.errors import damaged_snapshot
from haleganada_server.store.workspaces.home import folder_name
from haleganada_server.store.workspaces.snapshots import parse_manifest

from .catalog import Catalog, Entry

_log = logging.getLogger(__name__)


class SharedSnapshots:
    """The snapshots of all workspaces. Safe from any thread."""

    def __init__(self, own: DataDirectory, catalog: Catalog) -> None:
        """own: the data directory of this server."""
        self._own, self._catalog = own, catalog
        self._lock = threading.Lock()
        self._to_share = set(own.names_with_snapshots())  # also what it had before it shared

    def all(self, name: str) -> list[SnapshotInfo]:
        """Return a workspace's snapshots, newest first. Raises Unavailable."""
        found = {info.snapshot_id: info for info in self._own.snapshots(name)}
        prefix = _prefix(name)
        for entry in self._catalog.find_below(prefix):
            snapshot_id = entry.object_id.removeprefix(prefix)
            if entry.deleted and snapshot_id in found:
                self._own.discard(name, found.pop(snapshot_id))
            elif not entry.deleted and snapshot_id not in found:
                found[snapshot_id] = _describe(entry, snapshot_id)
        return sorted(found.values(), key=lambda info: (info.created_us, info.revision), reverse=True)

    def names(self) -> list[str]:
        """Return the names of the workspaces that have any, sorted. Raises Unavailable."""
        shared = {json.loads(description)["workspace"] for description in self._catalog.descriptions()}
        return sorted(shared | set(self._own.names_with_snapshots()))

    def fetch(self, name: str, snapshot_id: str) -> None:
        """Let this server have a snapshot, if there is one. Raises DataLoss, Unavailable."""
        if any(info.snapshot_id == snapshot_id for info in self._own.snapshots(name)):
            return
        entry = self._catalog.find(_prefix(name) + snapshot_id)
        if entry is None:
            return
        scratch, copy = self._own.temporary_file(), self._own.temporary_file()
        try:
            self._catalog.fetch(entry, scratch, copy)
            self._own.adopt_snapshot(name, copy, _describe(entry, snapshot_id))
        except DataLoss as error:
            raise damaged_snapshot(name, snapshot_id) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            shutil.rmtree(copy, ignore_errors=True)

    def discard(self, name: str, info: SnapshotInfo) -> int:
        """Delete a snapshot at all servers, and return the bytes that this frees here. Raises Unavailable."""
        self._catalog.withdraw(_prefix(name) + info.snapshot_id)
        return self._own.discard(name, info)

    def share(self, name: str) -> None:
        """Offer the snapshots of a workspace that are only here to all servers; if that fails, share_rest() tries
        again.
        """
        with self._lock:
            self._to_share.add(name)
        try:
            self.share_rest()
        except HaleganadaError as error:
            _log.warning("snapshots of workspace %r are only at this server, for now: %s", name, error.message)

    def share_rest(self) -> None:
        """Offer what was not taken before. Raises Unavailable."""
        with self._lock:
            names = sorted(self._to_share)
        for name in names:
            known = {entry.object_id for entry in self._catalog.find_below(_prefix(name))}
            for info in self._own.snapshots(name):
                if _prefix(name) + info.snapshot_id not in known and info.sha256:
                    self._publish(name, info)
            with self._lock:
                self._to_share.discard(name)

    def _publish(self, name: str, info: SnapshotInfo) -> None:
        scratch = self._own.temporary_file()
        scratch.mkdir()
        try:
            for path in self._own.list_snapshot_files(name, info):
                files.link(path, scratch / path.name)
            manifest = (scratch / f"{info.snapshot_id}.json").read_text(encoding="utf-8")
            description = json.dumps({"workspace": name, "manifest": manifest}, ensure_ascii=False)
            self._catalog.publish(_prefix(name) + info.snapshot_id, scratch, description)
        except FileNotFoundError:
            _log.info("snapshot %s of workspace %r was deleted before others knew of it", info.snapshot_id, name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _prefix(name: str) -> str:
    return f"{folder_name(name)}-"


def _describe(entry: Entry, snapshot_id: str) -> SnapshotInfo:
    """Return what is known of a snapshot without its files; a damaged row says that."""
    try:
        return parse_manifest(str(json.loads(entry.description)["manifest"]))
    except (ValueError, TypeError, KeyError) as error:
        _log.error("the description of snapshot %s is damaged: %s", snapshot_id, error)
        size = sum(size for size, _ in entry.files.values())
        return SnapshotInfo(
            snapshot_id=snapshot_id,
            name="damaged",
            revision=0,
            samples_total=0,
            created_us=0,
            bytes=size,
            sha256="",
            trash=False,
        )
