"""What a data directory holds besides what was taught, which a database does not take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.store.models import ModelFolders

_FOLDERS = {"models": "model", "datasets": "data set", "jobs": "job", "readings": "kept reading"}
_FILES = {"tokens.json": "tokens", "limits.json": "limits"}


def list_rest(data: Path) -> Iterator[str]:
    """Yield what there is, a few words each, with counts."""
    for place, noun in (("snapshots", "snapshot"), ("trash", "old state")):
        if count := sum(1 for _ in data.glob(f"workspaces/*/{place}/*.sqlite3")):
            yield _count(count, noun)
    for place, noun in _FOLDERS.items():
        if count := sum(path.is_dir() for path in (data / place).glob("*")):
            yield _count(count, noun)
    for name, what in _FILES.items():
        if (data / "access" / name).exists():
            yield what
    if any((data / "access").glob("audit*")):
        yield "the audit trail"


def list_answering_models(data: Path) -> list[str]:
    """Return the workspaces for which a model answers, or a network that learns online; none if that is not known."""
    if not (data / "models").is_dir():
        return []
    with suppress(HaleganadaError, OSError):
        return sorted(ModelFolders(data / "models", lambda: data / "tmp").load_active())
    return []


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
