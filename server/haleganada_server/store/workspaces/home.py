"""The files of one workspace's folder, DIR/workspaces/<hash of the name>/: which workspace it is, whether it exists,
and a copy of what it was taught.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.labels import DEFAULT_WORKSPACE
from haleganada_server.core.machine_errors import machine_errors
from haleganada_server.store import files
from haleganada_server.store.sample_log.integrity import recovery
from haleganada_server.store.sample_log.mark import Mark, MarkFile

LOG, JOURNAL, MARK, DESCRIPTION = "log.sqlite3", "log.sqlite3-wal", "mark", "workspace.json"
_log = logging.getLogger(__name__)


def folder_name(name: str) -> str:
    """Return the name of a workspace's folder."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def has_workspace(home: Path) -> bool:
    """Return whether a folder is that of a workspace that was created and not deleted. Raises Exhausted,
    Unavailable.
    """
    return (home / LOG).exists() or find_lost(home) is not None


def find_lost(home: Path) -> Mark | None:
    """Return the mark of a workspace whose log has vanished although nobody deleted it; None if the log is there, and
    if nothing was ever written to it.
    """
    if (home / LOG).exists():
        return None
    with machine_errors():
        mark = MarkFile(home / MARK).read()
    return mark if mark is not None and mark.revision and not mark.deleted else None


def lost_log(home: Path, name: str, mark: Mark) -> DataLoss:
    """Return the error for a workspace whose log has vanished."""
    samples = f"{mark.samples_total} sample" + ("" if mark.samples_total == 1 else "s")
    return DataLoss(
        f"the file of workspace “{name}” is missing: workspaces/{home.name}/{LOG}, with {samples} at revision "
        f"{mark.revision}; other workspaces are not affected. If you have the file, stop the server and put it back. "
        "Otherwise restore one of its snapshots, or reset it to start again; with the server stopped, `haleganada "
        f"repair --workspace {name}` brings back its newest sound snapshot",
        Reason.WORKSPACE_CORRUPT,
    )


def read_name(home: Path, *, deleted: bool = False) -> str | None:
    """Return the name of the workspace in a folder; None if it does not exist, unless deleted ones count, too. The log
    knows it if the JSON is lost.
    """
    log = home / LOG
    if not (deleted or has_workspace(home)):
        return None
    with suppress(OSError, ValueError, KeyError, TypeError), machine_errors():
        name = str(json.loads((home / DESCRIPTION).read_text(encoding="utf-8"))["name"])
        if folder_name(name) == home.name:  # otherwise it is damaged
            return name
    if home.name == folder_name(DEFAULT_WORKSPACE):
        return DEFAULT_WORKSPACE
    found = recovery.read_name(log) if log.exists() else None
    if found is None:
        _log.error(
            "the folder %s has a workspace, but neither its log nor workspace.json gives its name; it is skipped",
            home.name,
        )
    return found


def copy_log_files(home: Path, target: Path) -> None:
    """Copy a workspace's log with its journal, and its mark, as far as they are there, to a folder: as they are, so
    that nothing that can still be read is missing. Nobody may write to them. SQLite makes the journal's index anew.
    """
    for part in (MARK, LOG, JOURNAL):
        with suppress(FileNotFoundError):
            files.copy(home / part, target / part)
