"""Replacing a workspace's log so that a kill at any step leaves the old state or the new one, complete.

The new file is finished in the temporary folder before the old one is touched. The old one gets a second name in the
trash, and then one rename puts the new file over the old name. A file in the trash that still is the log's own file was
left by a kill between the two; the next start removes that name again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import Event
from haleganada_server.core.workspaces.types import SnapshotInfo
from haleganada_server.store import files
from haleganada_server.store.errors import unusable_snapshot
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.sample_log.mark import Mark, MarkFile

from .snapshots import SnapshotFolder, remove_journals


def build_from_snapshot(
    state: Path, folder: SnapshotFolder, snapshot_id: str, name: str, event: Event, used: Mark
) -> int:
    """Write a copy of a snapshot to `state`, continued by `event`, and return its created_us. Raises NotFound,
    DataLoss.
    """
    folder.copy_out(snapshot_id, state)
    try:
        return finish(state, name, event, used)
    except DataLoss as error:  # an unreadable workspace was moved to the trash as it was
        raise unusable_snapshot(error, name, snapshot_id) from error


def finish(state: Path, name: str, event: Event | None, used: Mark) -> int:
    """Append `event` to a finished file, with a revision above those that were used, and let it give only new
    sample_ids; return its created_us. Raises DataLoss.
    """
    with closing(SqliteLog(state, name)) as log:
        log.use_no_sample_id_up_to(used.last_sample_id)
        if event is not None:
            with log.transaction() as transaction:
                transaction.append(replace(event, revision=max(event.revision, used.revision + 1)))
        created_us = log.created_us
    remove_journals(state)
    files.sync_file(state)
    reach("replace.built")
    return created_us


def swap(
    path: Path, log: WorkspaceLog | None, keep: Callable[[], SnapshotInfo | None], put: Callable[[], None]
) -> SnapshotInfo | None:
    """Keep the old log in the trash and put the new state in its place. log None: there is no old file, or it cannot be
    opened.

    keep: gives the file at `path` a second name in the trash; returns None if there is no file. put: renames the new
    file over it, or removes it. Before `log` is closed, every error leaves it as it was.
    """
    if log is not None and path.exists():
        log.checkpoint()  # so that the main file holds everything, and the journal nothing
    reach("replace.checkpointed")
    retired = keep()
    reach("replace.kept")
    if log is not None:
        log.close()
        reach("replace.closed")
    remove_journals(path)
    reach("replace.without_journals")
    put()
    return retired


def put_in_place(state: Path, path: Path) -> None:
    """Rename a finished file to a workspace's log, over the old one if there is one."""
    path.parent.mkdir(exist_ok=True)
    remove_journals(path)
    state.replace(path)
    reach("replace.renamed")
    files.sync_folder(path.parent)
    files.sync_folder(path.parent.parent)
    reach("replace.synced")


def remove_log(path: Path, mark: MarkFile, used: Mark) -> None:
    """Remove a workspace's log, whose last revision and sample_id its mark keeps."""
    mark.write_durably(replace(used, samples_total=0, deleted=True))
    reach("delete.marked")
    path.unlink(missing_ok=True)  # it may have vanished
    reach("delete.unlinked")
    files.sync_folder(path.parent)
