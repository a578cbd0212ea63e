"""Copies a data directory to a new folder, which is a data directory itself: `serve --data` on it restores the backup.

Logs are copied by SQLite's online backup, beside a running server. Everything else is complete before it gets its name,
or is replaced as a whole, so that plain copies are consistent. What a server can compute again (online networks), what
is unfinished (uploads, temporary files) and checkpoints of jobs are left out.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.errors import DataLoss, HaleganadaError
from haleganada_server.core.jobs.ports import CHECKPOINTS
from haleganada_server.core.models.files import require_intact
from haleganada_server.store import files
from haleganada_server.store.audit import ACCESS_FOLDER, PRIVATE_FOLDER
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.store.jobs import JobFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.store.readings.description import BROKEN_READING, require_intact_reading
from haleganada_server.store.readings.journal import ACKNOWLEDGED, JOURNAL
from haleganada_server.store.sample_log.integrity import recovery
from haleganada_server.store.workspaces.home import DESCRIPTION, LOG, MARK, find_lost, lost_log
from haleganada_server.store.workspaces.snapshots import has_snapshots

from .file_copier import FileCopier
from .log_copy import copy_damaged_log, copy_log

_WORKSPACES, _MODELS, _DATASETS, _JOBS, _READINGS = (
    Path(name) for name in ("workspaces", "models", "datasets", "jobs", "readings")
)
_ACCESS = Path(ACCESS_FOLDER)
_ACTIVE = _MODELS / "active.json"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """One part of a backup. problem: what is wrong with it, "" = the copy was checked."""

    what: str
    problem: str = ""


class Backup:
    """One backup; run() it once. Sizes are known afterwards."""

    def __init__(
        self, source: Path, target: Path, previous: Path | None = None, *, leaves_out_logs: bool = False
    ) -> None:
        """target: does not exist, or is an empty folder. previous: an earlier backup, whose unchanged files are shared
        by hard links. leaves_out_logs: copy what a server with a database keeps in its data directory: no logs, and not
        which models answer. The result is built beside the target and moved there when it is complete.
        """
        self._source, self._target, self._leaves_out_logs = source, target, leaves_out_logs
        self._unfinished = target.with_name(f"{target.name}.unfinished")
        self._copier = FileCopier(source, self._unfinished, previous)

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes of all files but the logs, and bytes of those that are shared with the earlier backup."""
        return self._copier.bytes, self._copier.shared_bytes

    def run(self) -> Iterator[BackedUp]:
        """Copy and check one part after the other. Raises HaleganadaError or OSError if the backup cannot go on, and
        leaves nothing then.
        """
        shutil.rmtree(self._unfinished, ignore_errors=True)  # of a backup that was killed
        self._unfinished.mkdir(parents=True)
        try:
            yield from self._copy_workspaces()
            yield from self._copy_models()
            yield from self._copy_datasets()
            yield from self._copy_jobs()
            yield from self._copy_readings()
            self._copy_access()
            self._finish()
        except BaseException:
            shutil.rmtree(self._unfinished, ignore_errors=True)
            raise

    def _copy_workspaces(self) -> Iterator[BackedUp]:
        for home in self._list(_WORKSPACES):
            place = home.relative_to(self._source)
            name = _read_name(home)
            if self._leaves_out_logs:
                if has_snapshots(home):
                    self._copy_snapshots(place)
                    yield BackedUp(f"snapshots of workspace “{name}”")
                continue
            try:
                yield self._copy_workspace(place, name)
            except FileNotFoundError:  # it was never there, or was deleted just now: its snapshots and trash stay
                shutil.rmtree(self._unfinished / place, ignore_errors=True)
                with suppress(FileNotFoundError):
                    self._copier.copy_file(place / MARK, share=False)
                self._copy_snapshots(place)
                yield BackedUp(f"deleted workspace “{name}”")

    def _copy_workspace(self, place: Path, name: str) -> BackedUp:
        problem, home = "", self._source / place
        try:
            if (lost := find_lost(home)) is not None:
                raise lost_log(home, name, lost)
            revision, samples = copy_log(home, self._unfinished / place, name)
            what = f"workspace “{name}”: {samples} samples at revision {revision}"
        except DataLoss as error:
            copy_damaged_log(home, self._unfinished / place)
            what = f"workspace “{name}”"
            problem = f"it is damaged, so its files were copied as they are: {error.message}"
        self._copy_snapshots(place)
        return BackedUp(what, problem)

    def _copy_snapshots(self, place: Path) -> None:
        with suppress(FileNotFoundError):
            self._copier.copy_file(place / DESCRIPTION)
        for folder in ("snapshots", "trash"):
            self._copier.copy_folder(place / folder)

    def _copy_models(self) -> Iterator[BackedUp]:
        for folder in self._list(_MODELS):
            self._copier.copy_folder(folder.relative_to(self._source))
        with suppress(FileNotFoundError):
            if not self._leaves_out_logs:
                self._copier.copy_file(_ACTIVE)
        if not (self._unfinished / _MODELS).is_dir():
            return
        readable = {model.model_id: model for model in ModelFolders(self._unfinished / _MODELS, self._scratch).all()}
        for folder in self._list(_MODELS, self._unfinished):
            if (model := readable.get(folder.name)) is None:
                yield BackedUp(f"model {folder.name}", "it cannot be read, and was copied as it is")
                continue
            try:
                model.require_card()
                require_intact(folder, model.card, model.card.sha256)
                yield BackedUp(f"model “{model.card.name}” ({folder.name})")
            except DataLoss as error:
                yield BackedUp(f"model {folder.name}", error.message)

    def _copy_datasets(self) -> Iterator[BackedUp]:
        for folder in self._list(_DATASETS):
            self._copier.copy_folder(folder.relative_to(self._source))
        if (self._unfinished / _DATASETS).is_dir():
            for info in DatasetFolders(self._unfinished / _DATASETS, self._scratch).all():
                yield BackedUp(f"data set {info.dataset_id}", info.damage)

    def _copy_jobs(self) -> Iterator[BackedUp]:
        for folder in self._list(_JOBS):
            self._copier.copy_folder(
                folder.relative_to(self._source), lambda place: any(part.match(CHECKPOINTS) for part in _parts(place))
            )
        if (self._unfinished / _JOBS).is_dir():
            for job in JobFolders(self._unfinished / _JOBS, self._scratch).load():
                yield BackedUp(f"job {job.job_id}", job.error if job.is_damaged else "")

    def _copy_readings(self) -> Iterator[BackedUp]:
        for folder in self._list(_READINGS):
            place = folder.relative_to(self._source)
            try:
                self._copier.copy_folder(place, grows=lambda file: file.suffix in (ACKNOWLEDGED, JOURNAL))
                require_intact_reading(self._unfinished / place)
                yield BackedUp(f"reading {folder.name}")
            except BROKEN_READING as error:
                if folder.is_dir():  # else it has expired meanwhile
                    yield BackedUp(f"reading {folder.name}", f"it is damaged, and was copied as it is: {error}")
                else:
                    shutil.rmtree(self._unfinished / place, ignore_errors=True)

    def _copy_access(self) -> None:
        """Copy tokens and audit trail, for the same eyes only."""
        if (self._source / _ACCESS).is_dir():
            (self._unfinished / _ACCESS).mkdir(mode=PRIVATE_FOLDER)
            self._copier.copy_folder(_ACCESS, grows=lambda _file: True)

    def _finish(self) -> None:
        for folder in (self._unfinished, *(path for path in self._unfinished.rglob("*") if path.is_dir())):
            files.sync_folder(folder)
        reach("backup.built")
        if self._target.exists():
            self._target.rmdir()  # an empty one; Windows does not rename over it
        self._unfinished.replace(self._target)
        reach("backup.renamed")
        files.sync_folder(self._target.parent)

    def _list(self, place: Path, root: Path | None = None) -> list[Path]:
        """Return the folders in a folder of the source, or of another root, sorted."""
        found = ((root or self._source) / place).glob("*")
        return sorted(path for path in found if path.is_dir() and not path.is_symlink())

    def _scratch(self) -> Path:
        return self._unfinished / "tmp"


def _parts(place: Path) -> list[Path]:
    return [Path(part) for part in place.parts[2:]]


def _read_name(home: Path) -> str:
    """Return a workspace's name; that of its folder if neither its description nor its log has it."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((home / DESCRIPTION).read_text(encoding="utf-8"))["name"])
    return recovery.read_name(home / LOG) or home.name


def describe_problem(source: Path, target: Path, previous: Path | None) -> str:
    """Return why a backup from source to target makes no sense, as a sentence; "" if it does."""
    if not (source / "workspaces").is_dir():
        return f"{source} is not a data directory; name one with --data"
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        return f"{target} exists already; name a new folder"
    if target.resolve().is_relative_to(source.resolve()):
        return f"{target} lies in the data directory itself; name a folder elsewhere, best on another disk"
    if previous is not None and not (previous / "workspaces").is_dir():
        return f"{previous} is not a backup; name one with --previous, or leave it out"
    return ""


def describe_failure(error: HaleganadaError | OSError) -> str:
    """Return why a backup ended, as a sentence."""
    if isinstance(error, HaleganadaError):
        return error.message
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}; nothing was kept of this backup"
