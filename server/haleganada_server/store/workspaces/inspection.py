"""Checks a workspace's files without changing them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.core.disk.checksum import NEWER
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.store.sample_log.log import SqliteLog

from .home import LOG, MARK, copy_log_files, find_lost, lost_log
from .snapshots import SnapshotFolder


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of one check. problem: "" = sound. hint: what can be saved, or what to do. newer: a newer version has
    written it, which alone can check it.
    """

    what: str
    problem: str = ""
    hint: str = ""
    newer: bool = False


def check_log(home: Path, name: str, scratch: Path) -> Checked:
    """Check a workspace's log and mark, on a copy."""
    what = f"workspace “{name}”"
    if (lost := find_lost(home)) is not None:
        return Checked(what, lost_log(home, name, lost).message)
    copy = scratch / "checked"
    copy.mkdir()
    copy_log_files(home, copy)
    try:
        with closing(SqliteLog(copy / LOG, name, copy / MARK)) as log:
            notes = [f"{log.count()} samples at revision {log.revision()}"]
            if log.distrusted:
                notes.append(f"{len(log.distrusted)} damaged embeddings are computed again at the next start")
            if damaged := log.find_damaged_glyphs():
                problem = f"the drawings of {len(damaged)} samples are damaged, from sample {damaged[0]} on"
                return Checked(what, problem, "Their embeddings still count; forget them, or restore a snapshot")
            return Checked(what, hint="; ".join(notes))
    except DataLoss as error:
        return Checked(what, error.message, newer=error.reason is Reason.WORKSPACE_TOO_NEW)
    finally:
        shutil.rmtree(copy)


def check_snapshots(folder: SnapshotFolder) -> Iterator[Checked]:
    """Check each snapshot's manifest and file."""
    for info in folder.all():
        what = f"snapshot {info.snapshot_id} of workspace “{folder.name}”"
        if info.trash and "(damaged)" in info.name:
            continue  # it was damaged when it was moved there
        if folder.is_newer(info):
            yield Checked(what, NEWER, newer=True)
        elif folder.is_sound(info):
            yield Checked(what)
        else:
            yield Checked(what, "it is not what was written", "Delete it")
