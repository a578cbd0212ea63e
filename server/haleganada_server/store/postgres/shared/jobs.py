"""Jobs that all servers of a database list, watch and cancel, and that one of them carries out at a time.

A record is a row. The server that carries a job out has a lease, which it renews every second; when the lease is over,
because the server is gone, the job is anybody's again. Each claim gives the job a greater number, its fence: what the
one before writes late is refused. A job's folder is on the disk of the server that carries it out; its checkpoint is
put into the object store now and then, and what is in it for people when the job is over.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import HaleganadaError, NotFound, Precondition, Unavailable
from haleganada_server.core.jobs.job import Job, JobKind, JobState
from haleganada_server.core.jobs.ports import LeaseLost
from haleganada_server.store import files
from haleganada_server.store.jobs import JobFolders, parse_record, to_record
from haleganada_server.store.postgres.connections import Connection
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import database_errors

from .catalog import Catalog
from .changes import changing
from .checkpoints import Checkpoints

LEASE_S = 15.0
_FINISHED = "finished"  # in the folder of a job that this server has carried out to its end
_WHAT = "jobs"
_ADD = (
    "INSERT INTO jobs (job_id, record, open, server, fence, deleted, change) "
    "VALUES (%s, %s, %s, '', 0, false, nextval('changes')) ON CONFLICT DO NOTHING"
)
_LOCK = "SELECT record, fence, server FROM jobs WHERE job_id = %s AND NOT deleted FOR UPDATE"
_FREE = "SELECT record FROM jobs WHERE job_id = %s AND open AND server = '' AND NOT deleted FOR UPDATE SKIP LOCKED"
_CLAIM = (
    "UPDATE jobs SET server = %s, fence = fence + 1, lease_until = clock_timestamp() + %s * interval '1 second', "
    "change = nextval('changes') WHERE job_id = %s RETURNING fence"
)
_WRITE = "UPDATE jobs SET record = %s, open = %s, change = nextval('changes') WHERE job_id = %s"
_RENEW = "UPDATE jobs SET lease_until = clock_timestamp() + %s * interval '1 second' WHERE job_id = %s"
_FREE_AGAIN = "UPDATE jobs SET server = '', lease_until = NULL WHERE job_id = %s"
_ANY_LAPSED = (
    "SELECT 1 FROM jobs WHERE server <> '' AND open AND NOT deleted AND lease_until < clock_timestamp() LIMIT 1"
)
_LAPSED = (
    "SELECT job_id, record FROM jobs WHERE server <> '' AND open AND NOT deleted AND lease_until < clock_timestamp() "
    "FOR UPDATE SKIP LOCKED"
)
_TAKE_AWAY = "UPDATE jobs SET server = '', lease_until = NULL, fence = fence + 1 WHERE job_id = %s"
_NO_CHECKPOINT = (
    "WITH old AS (SELECT job_id, checkpoint FROM jobs WHERE job_id = %s AND checkpoint IS NOT NULL) "
    "UPDATE jobs SET checkpoint = NULL FROM old WHERE jobs.job_id = old.job_id RETURNING old.checkpoint"
)
_DELETE = "UPDATE jobs SET deleted = true, record = '', open = false, change = nextval('changes') WHERE job_id = %s"
_log = logging.getLogger(__name__)


class SharedJobs(JobFolders):
    """core.jobs.ports.JobStore over the rows of jobs. Safe from any thread."""

    is_shared = True

    def __init__(
        self,
        root: Path,
        temporary_path: Callable[[], Path],
        database: Database,
        catalog: Catalog | None,
        lease_s: float = LEASE_S,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """root, temporary_path: as for JobFolders. catalog: of files of jobs; None = each server has its own. lease_s:
        after which a server that is not heard of counts as gone. checkpoints: None = each server has its own.
        """
        super().__init__(root, temporary_path)
        self._database, self._catalog, self._lease_s = database, catalog, lease_s
        self._checkpoints = checkpoints
        self._server = token_hex(8)
        self._fences: dict[str, int] = {}
        self._following = threading.Lock()
        self._in_touch_since_s: float | None = None  # with the database, without a pause
        self._change = 0
        self._adopt()

    # All jobs

    def load(self) -> list[Job]:
        return self.news()[0]

    def news(self) -> tuple[list[Job], list[str]]:
        query = "SELECT job_id, record, deleted, change FROM jobs WHERE change > %s ORDER BY change"
        with self._following, database_errors(_WHAT):
            changed, removed = [], []
            for job_id, record, deleted, change in self._database.fetch(query, (self._change,)):
                self._change = change
                if deleted:
                    removed.append(job_id)
                    self._remove_folder(job_id)
                else:
                    changed.append(job := _read(job_id, record))
                    self._remove_leftovers(job)
            return changed, removed

    def save(self, job: Job) -> None:
        with changing(self._database, _WHAT) as connection:
            connection.execute(_ADD, (job.job_id, to_record(job), not job.state.is_over))
        reach("job.saved")

    def change(self, job: Job, change: Callable[[Job], Job], *, as_worker: bool = False) -> Job:
        with changing(self._database, _WHAT) as connection:
            row = connection.execute(_LOCK, (job.job_id,)).fetchone()
            if row is None:
                raise NotFound("job", job.job_id, "list the jobs")
            stored, is_mine = _read(job.job_id, row[0]), self._is_mine(job.job_id, row[1])
            if as_worker and not is_mine:
                raise LeaseLost(job.job_id)
            before = replace(job, cancelling=job.cancelling or stored.cancelling) if is_mine else stored
            changed = change(before)
            if changed != stored:
                connection.execute(_WRITE, (to_record(changed), not changed.state.is_over, job.job_id))
            named = None
            if changed.state.is_over:
                named = connection.execute(_NO_CHECKPOINT, (job.job_id,)).fetchone()
                if named is not None and self._checkpoints is not None:
                    self._checkpoints.unname(connection, named[0])
                if as_worker:
                    (self.folder(job.job_id) / _FINISHED).touch()
                connection.execute(_FREE_AGAIN, (job.job_id,))
            elif as_worker:
                connection.execute(_RENEW, (self._lease_s, job.job_id))
        reach("job.saved")
        if named is not None and self._checkpoints is not None:
            self._checkpoints.remove(job.job_id, named[0])
        return changed

    def delete(self, job_id: str) -> None:
        with changing(self._database, _WHAT) as connection:
            row = connection.execute(_LOCK, (job_id,)).fetchone()
            if row is not None and not _read(job_id, row[0]).state.is_over:
                raise Precondition(
                    f"job {job_id} is not finished; cancel it, or wait until it ends", Reason.JOB_NOT_OVER
                )
            connection.execute(_DELETE, (job_id,))
        self._remove_folder(job_id)
        if self._catalog is not None:
            self._catalog.withdraw(job_id)

    # Leases

    def claim(self, job_id: str) -> bool:
        with changing(self._database, _WHAT) as connection:
            row = connection.execute(_FREE, (job_id,)).fetchone()
            if row is None or _read(job_id, row[0]).state is not JobState.QUEUED:
                return False
            claimed = connection.execute(_CLAIM, (self._server, self._lease_s, job_id)).fetchone()
            assert claimed is not None
        self._fences[job_id] = claimed[0]
        self.folder(job_id).mkdir(exist_ok=True)
        if self._checkpoints is not None:
            self._checkpoints.fetch(job_id, self.folder(job_id), claimed[0])
        reach("job.claimed")
        return True

    def give_back(self, job_id: str, change: Callable[[Job], Job]) -> None:
        fence = self._fences.get(job_id)
        if fence is None:
            return
        self._share_checkpoint(job_id, fence)
        del self._fences[job_id]
        with changing(self._database, _WHAT) as connection:
            row = connection.execute(_LOCK, (job_id,)).fetchone()
            if row is not None and row[1] == fence and row[2] == self._server:
                self._free(connection, job_id, row[0], change)

    def rescue(self, change: Callable[[Job], Job]) -> None:
        try:
            with database_errors(_WHAT):
                lapsed = self._database.fetch(_ANY_LAPSED)  # none, nearly always; this takes no turn
        except Unavailable:
            self._in_touch_since_s = None
            raise
        now_s = time.monotonic()
        self._in_touch_since_s = self._in_touch_since_s or now_s
        # When the database was away, all leases are over, and those who have them need a moment to renew them.
        if not lapsed or now_s - self._in_touch_since_s < self._lease_s / 3:
            return
        with changing(self._database, _WHAT) as connection:
            for job_id, record in connection.execute(_LAPSED).fetchall():
                _log.warning("job %s: the server that carried it out is gone; another one goes on with it", job_id)
                self._free(connection, job_id, record, change)

    def share_checkpoints(self) -> None:
        """Let other servers go on with the jobs that this one carries out, should it be gone. Raises Unavailable."""
        for job_id, fence in list(self._fences.items()):
            if self._checkpoints is not None:
                with suppress(LeaseLost):
                    self._checkpoints.share(job_id, self.folder(job_id), fence, self.require_lease)

    def _share_checkpoint(self, job_id: str, fence: int) -> None:
        """Let others go on where a job is that this server does not finish."""
        if self._checkpoints is not None:
            with suppress(LeaseLost, HaleganadaError):
                self._checkpoints.share(job_id, self.folder(job_id), fence, self.require_lease, now=True)

    def require_lease(self, connection: Connection, job_id: str) -> None:
        """Raise LeaseLost if this server has carried out a job and others may have taken it over, until the
        transaction's end.
        """
        if job_id in self._fences:
            row = connection.execute(_LOCK, (job_id,)).fetchone()
            if row is None or not self._is_mine(job_id, row[1]):
                raise LeaseLost(job_id)

    # Files

    def publish_files(self, job_id: str) -> None:
        if self._catalog is None:
            return
        scratch = self._temporary_path()
        try:
            for name in self.list_files(job_id):
                path = super().find_file(job_id, name)
                target = scratch / path.relative_to(self.folder(job_id))
                target.parent.mkdir(parents=True, exist_ok=True)
                files.link(path, target)
            if scratch.is_dir():
                self._catalog.publish(job_id, scratch, guard=lambda own: self.require_lease(own, job_id))
        except (HaleganadaError, OSError) as error:
            _log.error("the files of job %s stay at this server: %s", job_id, error)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def find_file(self, job_id: str, name: str) -> Path:
        if name not in self.list_files(job_id) and job_id not in self._fences and self._catalog is not None:
            self._fetch_files(job_id, self._catalog)
        try:
            return super().find_file(job_id, name)
        except NotFound:
            raise NotFound(
                "file", name[:64], "GetJob lists the files of a job; those of one that runs at another server, and "
                "without --objects also later, are found there"
            ) from None  # fmt: skip

    def _fetch_files(self, job_id: str, catalog: Catalog) -> None:
        entry = catalog.find(job_id)
        if entry is not None:
            self._remove_folder(job_id)  # what an earlier run has left here
            scratch = self._temporary_path()
            try:
                catalog.fetch(entry, scratch, self.folder(job_id))
                (self.folder(job_id) / _FINISHED).touch()
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def _is_mine(self, job_id: str, fence: int) -> bool:
        return self._fences.get(job_id) == fence

    def _free(self, connection: Connection, job_id: str, record: str, change: Callable[[Job], Job]) -> None:
        changed = change(_read(job_id, record))
        connection.execute(_WRITE, (to_record(changed), not changed.state.is_over, job_id))
        connection.execute(_TAKE_AWAY, (job_id,))

    def _remove_folder(self, job_id: str) -> None:
        folder = self.folder(job_id)
        if folder.is_dir():
            files.remove_folder(folder, self._temporary_path())

    def _adopt(self) -> None:
        """Let all servers see the jobs that this one had alone."""
        with database_errors(_WHAT):
            known = {row[0] for row in self._database.fetch("SELECT job_id FROM jobs")}
        for job in self.load_recorded():
            if job.job_id not in known and not job.is_damaged:
                self.save(replace(job, state=JobState.QUEUED) if job.state is JobState.RUNNING else job)
                if job.state.is_over:
                    (self.folder(job.job_id) / _FINISHED).touch()
                    self.publish_files(job.job_id)

    def _remove_leftovers(self, job: Job) -> None:
        """Remove what an earlier run of a job that another server has finished has left here."""
        folder = self.folder(job.job_id)
        if job.state.is_over and folder.is_dir() and not (folder / _FINISHED).exists():
            self._remove_folder(job.job_id)


def _read(job_id: str, record: str) -> Job:
    """Return the job that a row describes; one whose record is damaged has failed."""
    try:
        return parse_record(record, job_id)
    except (ValueError, KeyError, TypeError) as error:
        _log.error("the record of job %s in the database is damaged: %s", job_id, error)
        return Job(
            job_id=job_id,
            kind=JobKind.TRAINING,
            state=JobState.FAILED,
            created_us=0,
            request={},
            error=f"the record of job {job_id} is damaged, so that its state and its result are not known. If it made "
            "a model, that is among the models. Delete the job, and start it again if you need it",
            error_reason=Reason.JOB_DAMAGED,
        )
