"""Jobs on disk: DIR/jobs/<id>/{job.json, request.json, log.txt, files/, model/}, and what a job's process keeps beside
them.

The server writes job.json and request.json, the process the rest. A folder with nothing but a draft in it was begun
when the disk was full, the power failed or the server was killed; the next start removes it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from haleganada_server.core.disk.checksum import NewerFormat, require_format, seal, unseal
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import NotFound
from haleganada_server.core.jobs.job import Epoch, Job, JobKind, JobState, Progress
from haleganada_server.core.jobs.ports import CHECKPOINTS
from haleganada_server.core.machine_errors import raise_machine_error

from . import files
from .errors import storage_errors

_JOB, _REQUEST, _LOG = "job.json", "request.json", "log.txt"
JOB_FORMAT = 1  # of job.json, written since there is a field for it
_LOG_TAIL = 4096  # bytes searched for the last line
_ID = re.compile("[0-9a-f]{12}")
_log = logging.getLogger(__name__)


class JobFolders:
    """core.jobs.ports.JobStore on a file system. save() is for one thread at a time."""

    is_shared = False

    def __init__(self, root: Path, temporary_path: Callable[[], Path]) -> None:
        """root: DIR/jobs of a data directory that this process has locked; created if it is missing. temporary_path:
        returns a new path on the same disk. Raises OSError.
        """
        self._root, self._temporary_path = root, temporary_path
        root.mkdir(exist_ok=True)

    def load(self) -> list[Job]:
        folders = [folder for folder in sorted(self._root.iterdir()) if _is_job(folder)]
        for folder in folders:
            for name in (_JOB, _REQUEST):
                (folder / f"{name}.new").unlink(missing_ok=True)
        return [self._load(folder.name) for folder in folders if not _remove_if_empty(folder)]

    def load_recorded(self) -> list[Job]:
        """Return the jobs whose records are in their folders."""
        return [self._load(folder.name) for folder in sorted(self._root.iterdir()) if (folder / _JOB).exists()]

    def save(self, job: Job) -> None:
        folder = self.folder(job.job_id)
        with storage_errors(job.job_id):
            is_new = not folder.exists()
            folder.mkdir(exist_ok=True)
            reach("job.made")
            files.write_json(folder / _JOB, _to_entry(job), folder)
            reach("job.saved")
            if is_new:
                files.sync_folder(self._root)

    def news(self) -> tuple[list[Job], list[str]]:
        return [], []  # nobody else changes the folders

    def change(self, job: Job, change: Callable[[Job], Job], *, as_worker: bool = False) -> Job:
        del as_worker  # there is one
        changed = change(job)
        if changed is not job:
            self.save(changed)
        return changed

    def claim(self, job_id: str) -> bool:
        del job_id
        return True

    def give_back(self, job_id: str, change: Callable[[Job], Job]) -> None:
        """See JobStore: the next start of the server resumes it."""

    def rescue(self, change: Callable[[Job], Job]) -> None:
        """See JobStore: there are no other servers."""

    def publish_files(self, job_id: str) -> None:
        """See JobStore: there are no other servers."""

    def folder(self, job_id: str) -> Path:
        return self._root / job_id

    def delete_checkpoints(self, job_id: str) -> None:
        try:
            for path in self.folder(job_id).glob(CHECKPOINTS):
                path.unlink()
                reach("job.checkpoint_deleted")
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
        reach("job.requested")
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

    def _load(self, job_id: str) -> Job:
        """Load a job; log and describe one whose record cannot be read."""
        try:
            return _parse(self.folder(job_id) / _JOB)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise_machine_error(error)
            _log.error("the record of job %s cannot be read (%s); it is listed as damaged", job_id, error)
            return self._describe_damaged(job_id, error)

    def _describe_damaged(self, job_id: str, error: Exception) -> Job:
        changed_us = self.folder(job_id).stat().st_mtime_ns // 1000
        why = "it cannot be read" if isinstance(error, OSError) else str(error)
        return Job(
            job_id=job_id,
            kind=_read_kind(self.folder(job_id)),
            state=JobState.FAILED,
            created_us=changed_us,
            ended_us=changed_us,
            request={},
            files=self.list_files(job_id),
            error=f"the record of job {job_id} cannot be read: {error}"
            if isinstance(error, NewerFormat)
            else f"the record of job {job_id} is damaged ({_JOB}: {why}), so that its state and its result are not "
            "known. If it made a model, that is among the models; its files can still be fetched. Delete the job, and "
            "start it again if you need it",
            error_reason=Reason.JOB_DAMAGED,
        )

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


def _is_job(folder: Path) -> bool:
    """Return whether this is a folder that a server named; log other things that lie beside them."""
    if folder.is_dir() and _ID.fullmatch(folder.name):
        return True
    _log.error("jobs/%s is skipped: its name is not a job's id", folder.name)
    return False


def _remove_if_empty(folder: Path) -> bool:
    """Remove a folder with nothing in it, and return whether that was so."""
    if is_empty := not any(folder.iterdir()):
        folder.rmdir()
    return is_empty


def _parse(path: Path) -> Job:
    """Load a job. Raises OSError, ValueError, KeyError or TypeError if its record has changed since it was written."""
    return _from_entry(json.loads(path.read_text(encoding="utf-8")), path.parent.name)


def to_record(job: Job) -> str:
    """Return a job as a text with its checksum."""
    return json.dumps(_to_entry(job), ensure_ascii=False)


def parse_record(record: str, job_id: str) -> Job:
    """Return the job that to_record has written. Raises ValueError, KeyError or TypeError if the text is not as it was
    written.
    """
    return _from_entry(json.loads(record), job_id)


def _to_entry(job: Job) -> dict[str, Any]:
    return seal({"format": JOB_FORMAT, **asdict(job), "kind": job.kind.value, "state": job.state.value})


def _from_entry(sealed: Any, job_id: str) -> Job:
    entry = unseal(sealed)
    require_format(entry, JOB_FORMAT)
    entry.pop("format", None)  # the first records have none
    parsed = {
        "kind": JobKind(entry["kind"]),
        "state": JobState(entry["state"]),
        "progress": Progress(**entry["progress"]),
        "epochs": tuple(Epoch(**epoch) for epoch in entry["epochs"]),
    }
    job = Job(**{**entry, **parsed})
    if job.job_id != job_id:
        raise ValueError("it describes another job")
    return job


def _read_kind(folder: Path) -> JobKind:
    """Return what kind of work a damaged job was, as far as the request for its process tells."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return JobKind(json.loads((folder / _REQUEST).read_text(encoding="utf-8"))["kind"])
    return JobKind.TRAINING
