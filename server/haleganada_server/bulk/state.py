"""What a run recognizes with: one workspace as of one moment, and the models that answer there.

It is a small data directory of its own. So a server may use the original meanwhile, everything in the output is of one
revision, and each worker opens its copy as a server opens its data.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Any

from haleganada_server.app import Recognizers, open_recognizers
from haleganada_server.config import ServerConfig
from haleganada_server.core.errors import NotFound
from haleganada_server.core.installation import describe_install
from haleganada_server.core.labels import DEFAULT_WORKSPACE, workspace_name
from haleganada_server.core.model_names import FEW_SHOT, LINE_ENGINE, ONLINE
from haleganada_server.runtime.processes.child_processes import usable_cores
from haleganada_server.store import DataDirectory, files
from haleganada_server.store.backup.log_copy import copy_log
from haleganada_server.store.models import ModelFolders
from haleganada_server.store.workspaces.home import DESCRIPTION, LOG, folder_name, has_workspace, read_name
from haleganada_server.store.workspaces.snapshots import SnapshotFolder
from haleganada_server.vision import PillowRasterizer

from .errors import BulkFailed

_WORKSPACES, _MODELS = "workspaces", "models"
_POLL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the state comes from.

    data: a data directory, also one that a server uses; None = nothing that was taught is needed. store: address of a
    database, also one that servers use, which has the workspace instead of it; may hold a password. archive: an
    exported file, instead of both. snapshot: the id of a snapshot of the workspace; "" = as it is now. model: "" = the
    one that answers in the workspace. engine: that reads, which may be a model, too.
    """

    data: Path | None = None
    store: str = field(default="", repr=False)
    archive: Path | None = None
    workspace: str = DEFAULT_WORKSPACE
    snapshot: str = ""
    model: str = ""
    engine: str = ""


def copy_state(source: Source, folder: Path, scratch: Path) -> dict[str, Any]:
    """Make a data directory of what recognizes, and return what a run tells of it. scratch: a folder on the same disk.

    Raises HaleganadaError: NotFound, DataLoss, InvalidInput for an archive that cannot be read, and BulkFailed.
    """
    made = scratch / "state"
    made.mkdir()
    workspace, model = DEFAULT_WORKSPACE, FEW_SHOT
    if source.archive is None and source.data is not None:
        workspace = workspace_name(source.workspace)
        if source.store:
            active = _copy_from_database(source.store, workspace, made)
        else:
            _copy_log(source.data, source.snapshot, workspace, made, scratch)
            active = _find_active(source.data, workspace)
        model = _copy_models(source.data, source, active, made)
    with open_state(made) as recognizers:
        facts = _complete(recognizers, workspace, source.archive)
    made.replace(folder)
    files.sync_folder(folder.parent)
    return {**facts, "workspace": workspace, "model": model}


@contextmanager
def open_state(folder: Path, store: str = "", objects: str = "") -> Iterator[Recognizers]:
    """Open a data directory as a server does, on the CPU. A reader takes one core: there are workers for the others.
    store, objects: of servers that share a database, whose workspaces are opened then.
    """
    config = ServerConfig(folder, device="cpu", readers=usable_cores(), store=store, objects=objects)
    recognizers = open_recognizers(config)
    try:
        yield recognizers
    finally:
        recognizers.close()


def pack(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder by their paths, for workers on other machines."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def unpack(packed: dict[str, bytes], folder: Path) -> None:
    """Write what pack() returned."""
    for name, content in packed.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _copy_log(data: Path, snapshot: str, workspace: str, made: Path, scratch: Path) -> None:
    """Copy a workspace, beside a server that may use it."""
    home = data / _WORKSPACES / folder_name(workspace)
    target = made / _WORKSPACES / folder_name(workspace)
    if snapshot:
        target.mkdir(parents=True)
        SnapshotFolder(home, workspace, scratch).copy_out(snapshot, target / LOG)
    elif has_workspace(home):
        copy_log(home, target, workspace)
    else:
        known = sorted(filter(None, map(read_name, (data / _WORKSPACES).glob("*"))))
        raise NotFound("workspace", workspace, f"{data} has: {', '.join(known) or 'none'}")
    if (home / DESCRIPTION).exists():
        files.copy(home / DESCRIPTION, target / DESCRIPTION)


def _copy_from_database(store: str, workspace: str, made: Path) -> str:
    """Copy a workspace from a database, beside servers that may use it; return the id of the model that answers there,
    FEW_SHOT for its own head.
    """
    try:
        from haleganada_server.store.moving.moved import Outcome
        from haleganada_server.store.moving.to_directory import move_to_directory
        from haleganada_server.store.postgres.database import Database
    except ModuleNotFoundError as error:
        hint = describe_install("cluster")
        raise BulkFailed(f"--store needs {error.name}, which is not installed: {hint}", 2) from error
    with (
        closing(Database(store)) as database,
        closing(DataDirectory(made, PillowRasterizer())) as directory,
    ):
        moved = next(iter(move_to_directory(database, directory, workspace)), None)
        if moved is None or moved.outcome is Outcome.DELETED:
            raise NotFound("workspace", workspace, f"list those of the {database.address} at one of its servers")
        query = "SELECT model_id FROM active_models WHERE workspace = %s"
        active = database.fetch(query, (workspace,))
    if moved.problem:
        raise BulkFailed(f"workspace “{workspace}”: {moved.problem}")
    return str(active[0][0]) if active else FEW_SHOT


def _find_active(data: Path, workspace: str) -> str:
    """Return what answers in a workspace of a data directory: a model's id, FEW_SHOT or ONLINE."""
    root = data / _MODELS
    if not root.is_dir():
        return FEW_SHOT
    active = ModelFolders(root, lambda: data).load_active().get(workspace, FEW_SHOT)
    return active if isinstance(active, str) else ONLINE


def _copy_models(data: Path, source: Source, active: str, made: Path) -> str:
    """Copy the models that the run needs, and return which one answers, FEW_SHOT for the workspace's own head. active:
    what answers in the workspace, if nobody names a model.
    """
    model = source.model or active
    if model == ONLINE:
        raise BulkFailed(
            f"a network that learns online answers in “{source.workspace}”, and only its server can ask it; choose the "
            f"workspace's own head with --model {FEW_SHOT}, or a trained model",
            2,
        )
    root, needed = data / _MODELS, {model, source.engine.removeprefix(LINE_ENGINE)}
    if root.is_dir():
        for stored in ModelFolders(root, lambda: made).all():
            if {stored.model_id, stored.card.name} & needed:
                copytree(stored.folder, made / _MODELS / stored.model_id)
    return model


def _complete(recognizers: Recognizers, workspace: str, archive: Path | None) -> dict[str, Any]:
    """Import an archive, embed what other weights have embedded, and return what is known now."""
    with recognizers.workspaces.use(workspace) as opened:
        if archive is not None:
            imported = opened.import_file(archive)
            if imported.refused_total:
                first = imported.refused[0]
                raise BulkFailed(
                    f"{imported.refused_total:,} samples of {archive} cannot be used, first {first.item}: "
                    f"{first.error}; import it into a workspace, which leaves them out, and name that"
                )
        while opened.state.has_samples_to_embed():
            time.sleep(_POLL_S)
        knowledge = opened.knowledge
        return {
            "revision": knowledge.revision,
            "samples": knowledge.samples_total,
            "labels": knowledge.labels_known,
            "embedder": recognizers.encoder.embedder_hash,
        }
