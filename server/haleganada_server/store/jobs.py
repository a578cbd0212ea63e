"""Jobs on disk: DIR/jobs/<id>/{job.json, request.json, log.txt, files/, model/}, and what a job's process keeps beside
them.

The server writes job.json and request.json, the process the rest. A folder without job.json was begun when the disk was
full or the power failed; it is ignored.
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
_LOG_TAIL = 4096  # bytes searched for the last line
_log = logging.getLogger(__name__)


class JobFolders:
    """core.jobs.ports.JobStore on a file system. save() is for one thread at a time."""

    def __init__(self, root: Path, temporary_path: Callable[[], Path]) -> None:
        """root: DIR/jobs of a data directory that this process has locked; created if it is missing. temporary_path:
        returns a new path on the same disk. Raises OSError.
        """
        self._root, self._temporary_path = root, temporary_path
        root.mkdir(exist_ok=True)

    def load(self) -> list[Job]:
        return [job for path in sorted(self._root.glob(f"*/{_JOB}")) if (job := _load(path)) is not None]

    def save(self, job: Job) -> None:
        folder = self.folder(job.job_id)
        with storage_errors(job.job_id):
            is_new = not folder.exists()
            folder.mkdir(exist_ok=True)
            entry = {**asdict(job), "kind": job.kind.value, "state": job.state.value}
            files.write_json(folder / _JOB, entry, folder)
            if is_new:
                files.sync_folder(self._root)

    def folder(self, job_id: str) -> Path:
        return self._root / job_id

    def delete_checkpoints(self, job_id: str) -> None:
        try:
            for path in self.folder(job_id).glob(CHECKPOINTS):
                path.unlink()
        except FileNotFoundError:
            pass  # the job was deleted in the meantime
        except OSError as error:
            _log.warning("job %s: a checkpoint cannot be deleted: %s", job_id, error)

    def delete(self, job_id: str) -> None:
        with storage_errors(job_id), suppress(FileNotFoundError):  # the folder may have been removed by hand
            files.remove_folder(self.folder(job_id), self._temporary_path())

    def write_request(self, job_id: str, request: dict[str, Any]) -> Path:
        path = self.folder(job_id) / _REQUEST
        with storage_errors(job_id):
            files.write_json(path, request, path.parent)
        return path

    def list_files(self, job_id: str) -> dict[str, int]:
        """Return name -> bytes of what is in files/, and of the log unless it is empty."""
        found: dict[str, int] = {}
        for folder, pattern in ((self.folder(job_id) / "files", "*"), (self.folder(job_id), _LOG)):
            for path in sorted(folder.glob(pattern)):
                try:
                    size = path.stat().st_size
                except OSError:  # its process is replacing it
                    continue
                if path.is_file() and not path.is_symlink() and (size or path.name != _LOG):
                    found[path.name] = size
        return found

    def find_file(self, job_id: str, name: str) -> Path:
        if name not in self.list_files(job_id):
            raise NotFound("file", name[:64], "GetJob lists the files of a job")
        return self.log_path(job_id) if name == _LOG else self.folder(job_id) / "files" / name

    def log_path(self, job_id: str) -> Path:
        return self.folder(job_id) / _LOG

    def last_log_line(self, job_id: str) -> str:
        try:
            with self.log_path(job_id).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _LOG_TAIL))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _load(path: Path) -> Job | None:
    """Load a job; log and return None if it cannot be read."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        parsed = {
            "kind": JobKind(entry["kind"]),
            "state": JobState(entry["state"]),
            "progress": Progress(**entry["progress"]),
            "epochs": tuple(Epoch(**epoch) for epoch in entry["epochs"]),
        }
        job = Job(**{**entry, **parsed})
        if job.job_id != path.parent.name:
            raise ValueError("it describes another job")
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.error("the job in %s cannot be read (%s); it is skipped", path.parent.name, error)
        return None
    return job
