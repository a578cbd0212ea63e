"""What jobs need from other rooms: a disk, processes, data sets, models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from haleganada_server.core.datasets.dataset import DatasetInfo
from haleganada_server.core.models.models import StoredModel

from .job import Job, JobKind

CHECKPOINTS = "checkpoint*"
"""Files in a job's folder that only a resumed job needs."""


class LeaseLost(Exception):
    """Another server may carry out a job by now, because this one was not heard of for too long."""


class JobStore(Protocol):
    """The records of all jobs, and their folders."""

    @property
    def is_shared(self) -> bool:
        """Whether several servers have the same jobs. Then any method but those that only look at a folder raises
        Unavailable if what they share cannot be reached.
        """
        ...

    def news(self) -> tuple[list[Job], list[str]]:
        """Return the jobs that have changed since the last call, or since load(), and the ids of those that were
        deleted; nothing where one server alone has the jobs.
        """
        ...

    def change(self, job: Job, change: Callable[[Job], Job], *, as_worker: bool = False) -> Job:
        """Apply a change to a job as it is stored, save it, atomically, and return it. job: as it is known here, which
        is newer only for the server that carries it out. as_worker: this is a change by that server, which also renews
        its lease. Raises NotFound, Exhausted, LeaseLost if another server has the job.
        """
        ...

    def claim(self, job_id: str) -> bool:
        """Return whether this server carries out a job that waits: no other one does until it is over, is given back,
        or this server is not heard of for too long.
        """
        ...

    def give_back(self, job_id: str, change: Callable[[Job], Job]) -> None:
        """Let any server carry out a job that this one does not finish. change: what becomes of its record."""
        ...

    def rescue(self, change: Callable[[Job], Job]) -> None:
        """Let any server carry out the jobs of servers that are gone. change: what becomes of their records."""
        ...

    def publish_files(self, job_id: str) -> None:
        """Let all servers find the files of a job that is about to be over; log what fails."""
        ...

    def load(self) -> list[Job]:
        """Return all jobs on disk, in any order; remove what a killed server left unfinished. A job whose record cannot
        be read is logged, and has failed with the reason JOB_DAMAGED.
        """
        ...

    def save(self, job: Job) -> None:
        """Save a job, atomically. Raises Exhausted."""
        ...

    def folder(self, job_id: str) -> Path:
        """Return the folder in which a job's process works; it exists once the job was saved."""
        ...

    def delete_checkpoints(self, job_id: str) -> None:
        """Delete a job's CHECKPOINTS, which may be many times larger than its model; log those that cannot be
        deleted.
        """
        ...

    def delete(self, job_id: str) -> None:
        """Remove a job's folder for good. Raises Exhausted, Precondition."""
        ...

    def write_request(self, job_id: str, request: dict[str, Any]) -> Path:
        """Write the request for a job's process and return the file. Raises Exhausted."""
        ...

    def list_files(self, job_id: str) -> dict[str, int]:
        """Return name -> bytes of the files that a job has written for people."""
        ...

    def find_file(self, job_id: str, name: str) -> Path:
        """Return the path of one of list_files. Raises NotFound for any other name."""
        ...

    def log_path(self, job_id: str) -> Path:
        """Return the file to which a job's process writes its errors."""
        ...

    def last_log_line(self, job_id: str) -> str:
        """Return the last line of that file; "" if there is none."""
        ...


class JobProcess(Protocol):
    """A process that carries out one job. Safe from any thread; events() is for one of them."""

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the reports of the process until it has ended."""
        ...

    def wait(self) -> int:
        """Wait for the end and return the exit status; -N after signal N."""
        ...

    def cancel(self) -> None:
        """Ask the process to finish soon and to keep the best result."""
        ...

    def suspend(self) -> None:
        """Tell the process to end at once; the job can resume from its checkpoint later."""
        ...

    def kill(self) -> None:
        """Kill the process."""
        ...


class JobRunner(Protocol):
    """Starts processes."""

    def require(self, kind: JobKind, preset: str = "", tensorboard: bool = False) -> None:
        """Raise Precondition if this installation cannot run this kind of job, neither has nor can fetch the weights
        that a preset starts from, or cannot write TensorBoard files. With a preset, it may try the network.
        """
        ...

    def must_fetch_weights(self, preset: str) -> bool:
        """Return whether a training of this preset has to fetch weights. Looks at the disk only."""
        ...

    def start(self, request: Path, log: Path) -> JobProcess:
        """Start a process for a request file. Raises OSError."""
        ...


class DatasetSource(Protocol):
    """The data sets of the server."""

    def get(self, dataset_id: str) -> DatasetInfo:
        """Return a data set by its id, or by its name if that is unique. Raises NotFound, InvalidInput."""
        ...

    def folder(self, dataset_id: str) -> Path:
        """Return the folder of a data set's arrays. Raises NotFound."""
        ...


class ModelRegistry(Protocol):
    """The trained models of the server."""

    def find(self, reference: str, field: str = "model_id") -> StoredModel | None:
        """Return the model with this id, or with this name if it is unique; None for "few-shot". Raises NotFound,
        InvalidInput.
        """
        ...

    def get(self, reference: str, field: str = "model_id") -> StoredModel:
        """Return a model as find does, but raise Precondition for "few-shot"."""
        ...

    def register(self, folder: Path, model_id: str = "") -> str:
        """Take over a finished model folder, atomically, and return its id: model_id, or a new one. If there is such a
        model already, the folder is removed. Raises Exhausted, Precondition, DataLoss.
        """
        ...
