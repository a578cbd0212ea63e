"""The files of a job, downloaded to a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .overwriting import require_free

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.training.jobs import Job


def download_job_files(
    client: HaleganadaClient, job: Job, folder: Path, names: Sequence[str] = (), *, overwrite: bool
) -> list[Path]:
    """Download a job's files, all or the named ones, to a folder, which is created if necessary. Return their paths.

    Raise HaleganadaError, OSError for a file that cannot be written, or click.UsageError, before the first is written,
    for one that exists and may not be replaced.
    """
    names = names or [file.name for file in job.files]
    paths = [folder / Path(name).name for name in names]
    for path in paths:
        require_free(path, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in zip(names, paths, strict=True):
        client.jobs.file(job.job_id, name, path)
    return paths
