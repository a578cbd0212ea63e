"""Dependencies of jobs for tests: folders in a temporary directory, real processes, data sets without drawings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.datasets.dataset import DatasetInfo, LabelCount
from haleganada_server.core.errors import NotFound
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.jobs.run import JobDependencies
from haleganada_server.core.models.classification import Classifier
from haleganada_server.core.models.models import Models
from haleganada_server.runtime.processes.job_process import JobProcessRunner
from haleganada_server.store.jobs import JobFolders
from haleganada_server.store.models import ModelFolders

from tests.support.jobs import child

COMMAND = (sys.executable, child.__file__)
TWO = DatasetInfo(
    dataset_id="d" * 12,
    name="two letters",
    created_us=1,
    sha256="0" * 64,
    labels=(LabelCount("a", 5, 2, 2), LabelCount("ಅ", 5, 2, 2)),
    writers=0,
    refused=(),
    refused_total=0,
    leaks=0,
    duplicates=0,
)
ONE = replace(
    TWO,
    dataset_id="e" * 12,
    name="one letter",
    created_us=2,
    sha256="1" * 64,
    labels=(LabelCount("a", 5, 0, 0),),
)


class NamedDatasets:
    """core.jobs.ports.DatasetSource for data sets without drawings, which child.py does not need."""

    def __init__(self, root: Path, known: tuple[DatasetInfo, ...] = (TWO, ONE)) -> None:
        self._root = root
        self._known: Mapping[str, DatasetInfo] = {key: info for info in known for key in (info.dataset_id, info.name)}

    def get(self, dataset_id: str) -> DatasetInfo:
        if dataset_id not in self._known:
            raise NotFound("dataset", dataset_id)
        return self._known[dataset_id]

    def folder(self, dataset_id: str) -> Path:
        return self._root / dataset_id


def make_dependencies(
    root: Path,
    runner: JobProcessRunner | None = None,
    patience_s: float = 120.0,
    find_queued_limit: Callable[[str], int | None] = lambda _caller: None,
) -> JobDependencies:
    """Return the dependencies of jobs in the data directory `root`."""
    root.mkdir(exist_ok=True)
    (root / "tmp").mkdir(exist_ok=True)
    names = iter(range(10**6))
    folders = ModelFolders(root / "models", lambda: root / "tmp" / str(next(names)))

    def load(folder: Path, card: object) -> Classifier:
        raise AssertionError("jobs load no models")

    return JobDependencies(
        store=JobFolders(root / "jobs", lambda: root / "tmp" / str(next(names))),
        runner=runner or JobProcessRunner(COMMAND, needed={}),
        datasets=NamedDatasets(root / "datasets"),
        models=Models(folders, load),
        weights=root / "weights",
        patience_s=patience_s,
        find_queued_limit=find_queued_limit,
    )


@contextmanager
def jobs(root: Path, **settings: object) -> Iterator[Jobs]:
    """Run jobs until the block ends."""
    running = Jobs(make_dependencies(root, **settings))  # type: ignore[arg-type]
    running.start()
    try:
        yield running
    finally:
        running.stop()
        running.close()
