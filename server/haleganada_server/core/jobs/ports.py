"""What the jobs need of the rooms around them: a disk, processes, data sets, models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from haleganada_server.core.datasets.dataset import DatasetInfo
from haleganada_server.core.models.models import StoredModel

from .job import Job, JobKind

CHECKPOINTS = "checkpoint*"
"""Files in a job's folder that only a job that goes on has a use for."""


class JobStore(Protocol):
    """The folders of all jobs."""

    def load(self) -> list[Job]:
        """All jobs on disk, in any order; one that cannot be read is noted in the log and left out."""
        ...

    def save(self, job: Job) -> None:
        """Keep a job as it is now, atomically. Raises Exhausted."""
        ...

    def folder(self, job_id: str) -> Path:
        """Where a job's process works; exists once the job was saved."""
        ...

    def tidy(self, job_id: str) -> None:
        """Delete a job's CHECKPOINTS, which may be larger than its model many times. What cannot be deleted is
        noted in the log.
        """
        ...

    def delete(self, job_id: str) -> None:
        """Remove a job's folder for good. Raises Exhausted, Precondition."""
        ...

    def write_request(self, job_id: str, request: dict[str, Any]) -> Path:
        """Put down what a job's process is to do; the file. Raises Exhausted."""
        ...

    def files(self, job_id: str) -> dict[str, int]:
        """Name -> bytes of what a job has written for people."""
        ...

    def file(self, job_id: str, name: str) -> Path:
        """One of `files`. Raises NotFound for any other name."""
        ...

    def log(self, job_id: str) -> Path:
        """Where a job's process writes what goes wrong."""
        ...

    def last_words(self, job_id: str) -> str:
        """The last line of that log; "" if there is none."""
        ...


class JobProcess(Protocol):
    """A process that carries out one job. Safe from any thread; events() is for one of them."""

    def events(self) -> Iterator[dict[str, Any]]:
        """What the process reports, until it has ended."""
        ...

    def wait(self) -> int:
        """The exit status, once it has ended; -N after signal N."""
        ...

    def cancel(self) -> None:
        """Ask it to finish up quickly and to keep the best."""
        ...

    def leave(self) -> None:
        """Tell it that nobody is interested any more; it ends at once, and can go on from its checkpoint later."""
        ...

    def kill(self) -> None:
        """End it, without asking."""
        ...


class JobRunner(Protocol):
    """Starts processes."""

    def require(self, kind: JobKind, tensorboard: bool = False) -> None:
        """Raises Precondition if this installation cannot do this kind of work, or not write TensorBoard's files."""
        ...

    def start(self, request: Path, log: Path) -> JobProcess:
        """A process for a request that lies in a file. Raises OSError."""
        ...


class DatasetSource(Protocol):
    """The data sets of the server."""

    def get(self, dataset_id: str) -> DatasetInfo:
        """By id, or by name if that is unique. Raises NotFound, InvalidInput."""
        ...

    def folder(self, dataset_id: str) -> Path:
        """Where its arrays lie. Raises NotFound."""
        ...


class ModelRegistry(Protocol):
    """The trained models of the server."""

    def find(self, reference: str, field: str = "model_id") -> StoredModel | None:
        """The model with this id, or with this name if it is unique; None for "few-shot". Raises NotFound,
        InvalidInput.
        """
        ...

    def register(self, folder: Path) -> str:
        """Take a finished model folder over; its new id. Nothing is left half done. Raises Exhausted, Precondition,
        DataLoss.
        """
        ...
