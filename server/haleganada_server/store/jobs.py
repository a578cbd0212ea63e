"""Jobs on disk: JOBS/<id>/{job.json, request.json, log.txt, files/, model/}, and what a job's process keeps beside
them.

job.json and request.json are the server's, the rest is the process's. A folder without job.json is one that was begun
when the disk was full or the power went; it means nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from haleganada_server.core.errors import NotFound
from haleganada_server.core.jobs.job import Epoch, Job, JobKind, JobState, Progress
from haleganada_server.core.jobs.ports import CHECKPOINTS

from . import files
from .errors import storage_errors

_JOB, _REQUEST, _LOG = "job.json", "request.json", "log.txt"
_END_OF_LOG = 4096  # bytes in which the last line is looked for
_log = logging.getLogger(__name__)


class JobFolders:
    """core.jobs.ports.JobStore on a file system. save() is for one thread at a time."""

    def __init__(self, root: Path, temporary_path: Callable[[], Path]) -> None:
        """root: DIR/jobs of a data directory that this process holds the lock of; created if it is not there.
        temporary_path: a fresh path on the same disk. Raises OSError.
        """
        self._root, self._temporary_path = root, temporary_path
        root.mkdir(exist_ok=True)

    def load(self) -> list[Job]:
        return [job for path in sorted(self._root.glob(f"*/{_JOB}")) if (job := _read(path)) is not None]

    def save(self, job: Job) -> None:
        folder = self.folder(job.job_id)
        with storage_errors(job.job_id):
            new = not folder.exists()
            folder.mkdir(exist_ok=True)
            files.write_json(folder / _JOB, _entry(job), folder)
            if new:
                files.sync_folder(self._root)

    def folder(self, job_id: str) -> Path:
        return self._root / job_id

    def tidy(self, job_id: str) -> None:
        try:
            for path in self.folder(job_id).glob(CHECKPOINTS):
                path.unlink()
        except FileNotFoundError:
            pass  # the job was deleted meanwhile
        except OSError as error:
            _log.warning("job %s: a checkpoint cannot be deleted: %s", job_id, error)

    def delete(self, job_id: str) -> None:
        with storage_errors(job_id), suppress(FileNotFoundError):  # somebody may have removed the folder
            files.remove_folder(self.folder(job_id), self._temporary_path())

    def write_request(self, job_id: str, request: dict[str, Any]) -> Path:
        path = self.folder(job_id) / _REQUEST
        with storage_errors(job_id):
            files.write_json(path, request, path.parent)
        return path

    def files(self, job_id: str) -> dict[str, int]:
        """What lies in files/, and the log once there is something in it."""
        found: dict[str, int] = {}
        for folder, pattern in ((self.folder(job_id) / "files", "*"), (self.folder(job_id), _LOG)):
            for path in sorted(folder.glob(pattern)):
                try:
                    size = path.stat().st_size
                except OSError:  # replaced by its process just now
                    continue
                if path.is_file() and not path.is_symlink() and (size or path.name != _LOG):
                    found[path.name] = size
        return found

    def file(self, job_id: str, name: str) -> Path:
        if name not in self.files(job_id):
            raise NotFound("file", name[:64], "GetJob names the files of a job")
        beside = self.log(job_id)
        return beside if name == _LOG else self.folder(job_id) / "files" / name

    def log(self, job_id: str) -> Path:
        return self.folder(job_id) / _LOG

    def last_words(self, job_id: str) -> str:
        try:
            with self.log(job_id).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _END_OF_LOG))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _entry(job: Job) -> dict[str, Any]:
    return {**asdict(job), "kind": job.kind.value, "state": job.state.value}


def _read(path: Path) -> Job | None:
    """The job in a file; None, and a line in the log, if there is none."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        special = {
            "kind": JobKind(entry["kind"]),
            "state": JobState(entry["state"]),
            "progress": Progress(**entry["progress"]),
            "epochs": tuple(Epoch(**epoch) for epoch in entry["epochs"]),
        }
        job = Job(**{**entry, **special})
        if job.job_id != path.parent.name:
            raise ValueError("it tells of another job")
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.error("the job in %s cannot be read (%s); it is left out", path.parent.name, error)
        return None
    return job
