"""Checks models, data sets, jobs, readings, tokens and limits of a data directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.core.disk.checksum import is_newer, require_format, unseal
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.models.files import read_card, require_intact

from .datasets.folders import load_description
from .datasets.integrity import require_intact_arrays
from .jobs import JOB_FORMAT
from .readings.description import require_intact_reading
from .share_limits import LimitsFile
from .tokens import TokenFile
from .workspaces.inspection import Checked

_BROKEN = (OSError, ValueError, KeyError, TypeError, HaleganadaError)


@dataclass(frozen=True, slots=True)
class _Kind:
    what: str
    place: str
    hint: str


_MODEL = _Kind("model", "models", "Train it again, or delete it")
_DATASET = _Kind("data set", "datasets", "Delete it and add it again")
_JOB = _Kind("job", "jobs", "Its record is lost; a model that it trained is not")

_READING = _Kind("reading", "readings", "Delete it, and read the document again")


def verify_others(data: Path) -> Iterator[Checked]:
    """Check what is not a workspace; yield one result for each model, data set, job and reading, and for the files of
    tokens and limits if they are there.
    """
    checks = (
        (_MODEL, _check_model),
        (_DATASET, _check_dataset),
        (_JOB, _check_job),
        (_READING, require_intact_reading),
    )
    for kind, check in checks:
        for folder in sorted(path for path in (data / kind.place).glob("*") if path.is_dir()):
            what = f"{kind.what} {folder.name}"
            try:
                check(folder)
                yield Checked(what)
            except _BROKEN as error:
                newer = is_newer(error)
                yield Checked(what, getattr(error, "message", str(error)), "" if newer else kind.hint, newer)
    for what, file in (("tokens", TokenFile(data)), ("limits", LimitsFile(data))):
        if file.stamp() is not None:
            yield _check_access(what, file)


def _check_access(what: str, file: TokenFile | LimitsFile) -> Checked:
    try:
        file.read()
    except (HaleganadaError, OSError) as error:
        return Checked(what, getattr(error, "message", str(error)), newer=is_newer(error))
    return Checked(what)


def _check_model(folder: Path) -> None:
    card = read_card(folder)
    require_intact(folder, card, card.sha256)


def _check_dataset(folder: Path) -> None:
    require_intact_arrays(folder, load_description(folder))


def _check_job(folder: Path) -> None:
    entry = unseal(json.loads((folder / "job.json").read_text(encoding="utf-8")))
    require_format(entry, JOB_FORMAT)
    if entry["job_id"] != folder.name:
        raise ValueError("job.json describes another job")
