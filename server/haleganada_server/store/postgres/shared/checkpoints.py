"""Checkpoints of jobs in the object store, so that a job goes on at another server where the one that is gone was, or
nearly. Each is a place of its own, named in the job's row; the one before it is removed.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.jobs.ports import CHECKPOINTS
from haleganada_server.store import files
from haleganada_server.store.postgres.connections import Connection
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import database_errors

from .changes import changing
from .object_store import ObjectStore
from .places import Places

INTERVAL_S = 60.0
_SHARE = 20  # of the time, one of so many parts may go to writing checkpoints
_FENCE = "fence"  # in a job's folder: of the last run here
_NAME = "UPDATE jobs SET checkpoint = %s WHERE job_id = %s"
_READ = "SELECT checkpoint FROM jobs WHERE job_id = %s"
_log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of the jobs that this server carries out. share() is for one thread, the rest for any."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        temporary_path: Callable[[], Path],
        interval_s: float = INTERVAL_S,
    ) -> None:
        """interval_s: at least so long between two of one job."""
        self._database, self._objects, self._temporary = database, objects, temporary_path
        self._places = Places(database, objects)
        self._interval_s = interval_s
        self._shared: dict[str, tuple[list[tuple[str, int, int]], float]] = {}  # files, and when to look again

    def share(
        self,
        job_id: str,
        folder: Path,
        fence: int,
        require_lease: Callable[[Connection, str], None],
        *,
        now: bool = False,
    ) -> None:
        """Put a job's checkpoint into the object store, unless it is there, or it is too early; now: it is not. Raises
        LeaseLost, Unavailable.
        """
        before, next_s = self._shared.get(job_id, ([], 0.0))
        begun_s = time.monotonic()
        if (begun_s < next_s and not now) or (found := _look(folder)) in ([], before):
            return
        scratch = self._temporary()
        scratch.mkdir()
        try:
            for name, _, _ in found:
                files.link(folder / name, scratch / name)  # which stays as it is: the process replaces its files
            place, written = self._places.write(scratch, "checkpoints", job_id)
        except FileNotFoundError:  # it was just replaced
            return
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        self._replace(job_id, {"place": place, "files": written, "fence": fence}, require_lease)
        self._shared[job_id] = found, begun_s + max(self._interval_s, _SHARE * (time.monotonic() - begun_s))

    def fetch(self, job_id: str, folder: Path, fence: int) -> None:
        """Let a job that this server begins, with this fence, go on from the newest checkpoint: this server's own, if
        nobody has carried the job out since, or else that in the object store.
        """
        mark = folder / _FENCE
        last = int(mark.read_text()) if mark.exists() else 0
        try:
            with database_errors("jobs"):
                ((named,),) = self._database.fetch(_READ, (job_id,))
            if named is not None and named["fence"] > last:
                self._copy(named, folder)
        except (HaleganadaError, ValueError, KeyError, TypeError) as error:
            _log.warning("job %s begins anew, for its checkpoint cannot be used: %s", job_id, error)
        mark.write_text(str(fence))

    def unname(self, connection: Connection, named: dict[str, Any]) -> None:
        """Say, in the transaction in which a job ends, that its checkpoint can go. named: what its row said."""
        self._places.unname(connection, named["place"])

    def remove(self, job_id: str, named: dict[str, Any]) -> None:
        """Remove the checkpoint of a job that is over."""
        self._shared.pop(job_id, None)
        self._places.remove(named["place"])

    def _copy(self, named: dict[str, Any], folder: Path) -> None:
        scratch = self._temporary()
        try:
            written = {name: (int(size), str(sha256)) for name, (size, sha256) in named["files"].items()}
            self._objects.get_folder(named["place"], written, scratch)
            for old in folder.glob(CHECKPOINTS):
                old.unlink()
            for path in scratch.iterdir():
                files.move(path, folder / path.name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _replace(self, job_id: str, named: dict[str, Any], require_lease: Callable[[Connection, str], None]) -> None:
        """Name a new checkpoint in the job's row, and remove the one that was named before."""
        is_named, before = False, None
        try:
            with changing(self._database, "jobs") as connection:
                require_lease(connection, job_id)
                row = connection.execute(_READ, (job_id,)).fetchone()
                connection.execute(_NAME, (json.dumps(named), job_id))
                self._places.name(connection, named["place"])
                if before := row[0] if row else None:
                    self._places.unname(connection, before["place"])
                is_named = True
        finally:
            if not is_named:
                self._places.remove(named["place"])
        if before:
            self._places.remove(before["place"])


def _look(folder: Path) -> list[tuple[str, int, int]]:
    """Return name, time and size of each file of a job's checkpoint."""
    found = []
    for path in sorted(folder.glob(CHECKPOINTS)):
        try:
            state = path.stat()
        except FileNotFoundError:  # it is being replaced
            continue
        if not path.name.endswith(".new"):
            found.append((path.name, state.st_mtime_ns, state.st_size))
    return found
