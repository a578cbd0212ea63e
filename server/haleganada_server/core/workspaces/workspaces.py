"""All workspaces of a server: they are opened once, found by name, created, reset, deleted and restored."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, DataLoss, NotFound, Precondition
from haleganada_server.core.labels import DEFAULT_WORKSPACE, workspace_name
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.models import StoredModel
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.online_status import OnlineLearning, OnlineStatus
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Event

from .background_adaptation import BackgroundAdaptation
from .dependencies import WorkspaceDependencies
from .reembedding import Reembedder
from .types import SnapshotInfo, WorkspaceInfo
from .workspace import Workspace

_log = logging.getLogger(__name__)


class Workspaces:
    """The open workspaces. Safe from any thread."""

    def __init__(self, dependencies: WorkspaceDependencies) -> None:
        """Open every workspace on disk; a corrupt one does not stop the others. Stale samples are re-embedded
        afterwards, in the background.
        """
        self._dependencies = dependencies
        self._reembedder = Reembedder(dependencies.encoder)
        self._background_adaptation = BackgroundAdaptation()
        self._lock = threading.RLock()
        self._open: dict[str, Workspace] = {}
        self._corrupt: dict[str, DataLoss] = {}
        for name in dependencies.directory.names():
            self._try_open(name)
        if not dependencies.directory.exists(DEFAULT_WORKSPACE):
            self._open[DEFAULT_WORKSPACE] = self._make_workspace(dependencies.directory.create(DEFAULT_WORKSPACE))
        dependencies.models.active_models.retain(self.names())
        dependencies.learners.resume(
            {name: (chosen, self._log_getter(name)) for name, chosen in self._learning().items()}
        )
        self._reembedder.start()
        self._background_adaptation.start()

    def get(self, name: str = "") -> Workspace:
        """Return the workspace of that name, "" = “default”. Raises NotFound, DataLoss if its file cannot be read."""
        name = workspace_name(name)
        workspace = self._open.get(name)  # a plain dict lookup: Predict takes no lock
        if workspace is None:
            if name in self._corrupt:
                raise self._corrupt[name]
            raise NotFound("workspace", name, "check the name, or create it first")
        return workspace

    def create(self, name: str) -> WorkspaceInfo:
        """Create an empty workspace. Raises AlreadyExists, InvalidInput."""
        name = workspace_name(name)
        with self._lock:
            if self._dependencies.directory.exists(name):
                raise AlreadyExists(
                    f"there is already a workspace “{name}”; use it, or choose another name", Reason.WORKSPACE_EXISTS
                )
            self._open[name] = self._make_workspace(self._dependencies.directory.create(name))
            return self.info(name)

    def info(self, name: str = "") -> WorkspaceInfo:
        """Return what a list shows of a workspace, which may be corrupt. Raises NotFound."""
        name = workspace_name(name)
        if name in self._corrupt:
            return WorkspaceInfo(
                name=name,
                samples_total=0,
                labels_known=0,
                revision=0,
                created_us=0,
                bytes_on_disk=0,
                corrupt=True,
                embedder_hash=self._dependencies.encoder.embedder_hash,
                samples_to_embed=0,
                model=FEW_SHOT,
                online=None,
            )
        workspace = self.get(name)
        known, log = workspace.knowledge, workspace.log
        return WorkspaceInfo(
            name=name,
            samples_total=known.samples_total,
            labels_known=known.labels_known,
            revision=known.revision,
            created_us=log.created_us,
            bytes_on_disk=log.bytes_on_disk(),
            corrupt=False,
            embedder_hash=self._dependencies.encoder.embedder_hash,
            samples_to_embed=known.stale.count,
            model=self._dependencies.models.active_models.model_id_of(name),
            online=self._dependencies.learners.status(name),
        )

    def page(self, after: str = "", limit: int = 50) -> list[WorkspaceInfo]:
        """Return at most `limit` workspaces by name, starting after the name `after`."""
        return [self.info(name) for name in self.names() if name > after][:limit]

    def names(self) -> list[str]:
        """Return the names of all workspaces, sorted, corrupt ones included."""
        with self._lock:
            return sorted({*self._open, *self._corrupt})

    def activate_model(self, name: str, model: str) -> StoredModel | None:
        """Set a workspace's active model, and return it; None for “few-shot”. Raises NotFound, and what Models.activate
        raises.
        """
        name = workspace_name(name)
        with self._lock:
            self.get(name)
            chosen = self._dependencies.models.activate(name, model)
        self._dependencies.learners.discard(name)
        return chosen

    def start_online_learning(
        self, name: str, start: str, config: OnlineConfig
    ) -> tuple[StoredModel | None, OnlineStatus]:
        """Start an online network for a workspace, which starts as a preset or model, learns every drawing, and becomes
        the active model. Return the model that it starts from, None for a preset, and its status.

        Returns once the network is ready, which may take long. Raises NotFound, and what Learners.start and
        Models.activate_online raise; nothing has changed then.
        """
        name = workspace_name(name)
        workspace, models, learners = self.get(name), self._dependencies.models, self._dependencies.learners
        model = models.find_online_start(start)
        learning = OnlineLearning(model.model_id if model else start, config)

        def save() -> None:
            with self._lock:
                if self._open.get(name) is not workspace:
                    raise NotFound("workspace", name, "it was deleted meanwhile")
                models.activate_online(name, learning)

        learners.start(name, learning, self._log_getter(name), save)
        return model, learners.status(name) or OnlineStatus(learning=learning)

    def snapshots(self, name: str = "") -> list[SnapshotInfo]:
        """Return the snapshots of a workspace, also of a deleted one, newest first."""
        return self._dependencies.directory.snapshots(workspace_name(name))

    def delete(self, name: str, confirm: str) -> SnapshotInfo:
        """Move a workspace to its trash. Raises Precondition without the right confirmation, or for “default”."""
        name = workspace_name(name)
        _require_confirmation(name, confirm)
        if name == DEFAULT_WORKSPACE:
            raise Precondition("the workspace “default” always exists; reset it instead", Reason.DEFAULT_WORKSPACE)
        with self._lock:
            if name in self._corrupt:
                retired = self._dependencies.directory.retire(None, name, "delete")
                del self._corrupt[name]
            else:
                retired = self.get(name).replace_log("delete", None, None)
                del self._open[name]
            self._dependencies.models.active_models.forget(name)
        self._dependencies.learners.discard(name)  # outside the lock, which a learner that is starting may wait for
        return _require_retired(retired, name)

    def reset(self, name: str, confirm: str, expected_revision: int | None = None) -> tuple[SnapshotInfo, int]:
        """Empty a workspace; return its former state, in the trash, and the new revision. Raises Precondition,
        RevisionMismatch.
        """
        name = workspace_name(name)
        _require_confirmation(name, confirm)
        directory = self._dependencies.directory
        with self._lock:
            if name in self._corrupt:
                retired = self._replace_corrupt(name, ChangeKind.RESET, lambda event: directory.create(name, event))
            else:
                retired = self.get(name).replace_log(
                    "reset", expected_revision, lambda event: directory.create(name, event)
                )
        return _require_retired(retired, name), self.get(name).knowledge.revision

    def restore(
        self, name: str, snapshot_id: str, expected_revision: int | None = None
    ) -> tuple[WorkspaceInfo, SnapshotInfo | None]:
        """Restore a snapshot; return the workspace and the state that was replaced, in the trash. Raises NotFound,
        RevisionMismatch, DataLoss.
        """
        name = workspace_name(name)
        directory = self._dependencies.directory
        if all(kept.snapshot_id != snapshot_id for kept in directory.snapshots(name)):
            raise NotFound("snapshot", snapshot_id, f"list the snapshots of “{name}”")
        with self._lock:

            def reopen(event: Event) -> WorkspaceLog:
                return directory.restore(name, snapshot_id, event)

            retired = None
            if name in self._open:
                retired = self._open[name].replace_log("restore", expected_revision, reopen)
            elif name in self._corrupt:
                retired = self._replace_corrupt(name, ChangeKind.RESTORE, reopen)
            else:
                event = Event(ChangeKind.RESTORE, now_us(), revision=1)
                self._open[name] = self._make_workspace(reopen(event))
        return self.info(name), retired

    def close(self) -> None:
        """Finish changes in progress, close all logs, release the data directory."""
        self._dependencies.learners.close()
        with self._lock:
            self._reembedder.close()
            self._background_adaptation.close()
            for workspace in self._open.values():
                workspace.close()
            self._dependencies.directory.close()

    def _learning(self) -> dict[str, OnlineLearning]:
        """Return how each readable workspace learns that has an online network."""
        learning = self._dependencies.models.active_models.online_learning()
        return {name: kept for name, kept in learning.items() if name in self._open}

    def _log_getter(self, name: str) -> Callable[[], WorkspaceLog]:
        return lambda: self.get(name).log

    def _try_open(self, name: str) -> None:
        try:
            self._open[name] = self._make_workspace(self._dependencies.directory.open(name))
        except DataLoss as error:
            _log.error("workspace %r cannot be read: %s", name, error.message)
            self._corrupt[name] = error

    def _make_workspace(self, log: WorkspaceLog) -> Workspace:
        return Workspace(log, self._dependencies, self._reembedder, self._background_adaptation)

    def _replace_corrupt(
        self, name: str, kind: ChangeKind, reopen: Callable[[Event], WorkspaceLog]
    ) -> SnapshotInfo | None:
        """Move an unreadable file to the trash and go on with the log that reopen(event) returns; if that fails, put
        the file back.
        """
        directory = self._dependencies.directory
        retired = directory.retire(None, name, kind.value)
        try:
            event = Event(kind, now_us(), revision=(retired.revision if retired else 0) + 1)
            self._open[name] = self._make_workspace(reopen(event))
        except Exception:
            if retired is not None:
                with suppress(DataLoss):  # it was unreadable before
                    directory.bring_back(name, retired).close()
            raise
        del self._corrupt[name]
        return retired


def _require_confirmation(name: str, confirm: str) -> None:
    if confirm != name:
        raise Precondition(f"to go on, repeat the workspace's name, “{name}”, in confirm", Reason.CONFIRMATION_NEEDED)


def _require_retired(retired: SnapshotInfo | None, name: str) -> SnapshotInfo:
    if retired is None:
        raise NotFound("workspace", name)
    return retired
