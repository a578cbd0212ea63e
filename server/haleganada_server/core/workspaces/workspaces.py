"""All workspaces of a server: opened once, found by name, created, emptied, deleted and restored."""

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
        """Opens every workspace on disk; a corrupt one is noted and does not stop the others. What other weights
        embedded is embedded anew afterwards, in the background.
        """
        self._dependencies = dependencies
        self._reembedder = Reembedder(dependencies.encoder)
        self._background_adaptation = BackgroundAdaptation()
        self._lock = threading.RLock()
        self._open: dict[str, Workspace] = {}
        self._corrupt: dict[str, DataLoss] = {}
        for name in dependencies.directory.names():
            self._open_one(name)
        if not dependencies.directory.exists(DEFAULT_WORKSPACE):
            self._open[DEFAULT_WORKSPACE] = self._workspace(dependencies.directory.create(DEFAULT_WORKSPACE))
        dependencies.models.active_models.retain(self.names())
        dependencies.learners.resume({name: (chosen, self._log_of(name)) for name, chosen in self._learning().items()})
        self._reembedder.start()
        self._background_adaptation.start()

    def get(self, name: str = "") -> Workspace:
        """The workspace of that name, "" = “default”. Raises NotFound, DataLoss if its file cannot be read."""
        name = workspace_name(name)
        workspace = self._open.get(name)  # a plain dict look-up: Predict takes no lock
        if workspace is None:
            if name in self._corrupt:
                raise self._corrupt[name]
            raise NotFound("workspace", name, "check the name, or create it first")
        return workspace

    def create(self, name: str) -> WorkspaceInfo:
        """A new, empty workspace. Raises AlreadyExists, InvalidInput."""
        name = workspace_name(name)
        with self._lock:
            if self._dependencies.directory.exists(name):
                raise AlreadyExists(
                    f"there is already a workspace “{name}”; use it, or choose another name", Reason.WORKSPACE_EXISTS
                )
            self._open[name] = self._workspace(self._dependencies.directory.create(name))
            return self.info(name)

    def info(self, name: str = "") -> WorkspaceInfo:
        """What a list shows of a workspace. Raises NotFound; a corrupt one is described as such."""
        name = workspace_name(name)
        if name in self._corrupt:
            return WorkspaceInfo(name, 0, 0, 0, 0, 0, True, self._dependencies.encoder.embedder_hash, 0, FEW_SHOT, None)
        workspace = self.get(name)
        known, log = workspace.knowledge, workspace.log
        return WorkspaceInfo(
            name,
            known.samples_total,
            known.labels_known,
            known.revision,
            log.created_us,
            log.bytes_on_disk(),
            False,
            self._dependencies.encoder.embedder_hash,
            known.stale.count,
            self._dependencies.models.active_models.model_id_of(name),
            self._dependencies.learners.status(name),
        )

    def page(self, after: str = "", limit: int = 50) -> list[WorkspaceInfo]:
        """At most `limit` workspaces by name, from the first one behind `after`."""
        return [self.info(name) for name in self.names() if name > after][:limit]

    def names(self) -> list[str]:
        """Of all workspaces, sorted, corrupt ones included."""
        with self._lock:
            return sorted({*self._open, *self._corrupt})

    def activate_model(self, name: str, model: str) -> StoredModel | None:
        """Let a workspace answer with a model from now on, None for “few-shot”. Raises NotFound, and as
        Models.activate does.
        """
        name = workspace_name(name)
        with self._lock:
            self.get(name)
            chosen = self._dependencies.models.activate(name, model)
        self._dependencies.learners.discard(name)
        return chosen

    def learn_along(self, name: str, start: str, config: OnlineConfig) -> tuple[StoredModel | None, OnlineStatus]:
        """Let a workspace answer with a network of its own, which starts as a preset or model and learns every drawing:
        the model that it starts from, None for a preset, and where it stands.

        Returns once the network is there, which may take long. Raises NotFound, and as Learners.start and
        Models.activate_online do; nothing has changed then.
        """
        name = workspace_name(name)
        workspace, models, learners = self.get(name), self._dependencies.models, self._dependencies.learners
        model = models.find_online_start(start)
        learning = OnlineLearning(model.model_id if model else start, config)

        def keep() -> None:
            with self._lock:
                if self._open.get(name) is not workspace:
                    raise NotFound("workspace", name, "it was deleted meanwhile")
                models.activate_online(name, learning)

        learners.start(name, learning, self._log_of(name), keep)
        return model, learners.status(name) or OnlineStatus(learning=learning)

    def snapshots(self, name: str = "") -> list[SnapshotInfo]:
        """Kept states of a workspace, newest first, also of a deleted one."""
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
        self._dependencies.learners.discard(name)  # not within the lock, for which one that is starting may wait
        return _kept(retired, name)

    def reset(self, name: str, confirm: str, expected_revision: int | None = None) -> tuple[SnapshotInfo, int]:
        """Empty a workspace; what it held, in the trash, and the new revision. Raises Precondition,
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
        return _kept(retired, name), self.get(name).knowledge.revision

    def restore(
        self, name: str, snapshot_id: str, expected_revision: int | None = None
    ) -> tuple[WorkspaceInfo, SnapshotInfo | None]:
        """Make a kept state the present one; the workspace, and what it replaced. Raises NotFound, RevisionMismatch,
        DataLoss.
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
                self._open[name] = self._workspace(reopen(event))
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
        """The readable workspaces with networks of their own."""
        learning = self._dependencies.models.active_models.online_learning()
        return {name: kept for name, kept in learning.items() if name in self._open}

    def _log_of(self, name: str) -> Callable[[], WorkspaceLog]:
        return lambda: self.get(name).log

    def _open_one(self, name: str) -> None:
        try:
            self._open[name] = self._workspace(self._dependencies.directory.open(name))
        except DataLoss as error:
            _log.error("workspace %r cannot be read: %s", name, error.message)
            self._corrupt[name] = error

    def _workspace(self, log: WorkspaceLog) -> Workspace:
        return Workspace(log, self._dependencies, self._reembedder, self._background_adaptation)

    def _replace_corrupt(
        self, name: str, kind: ChangeKind, reopen: Callable[[Event], WorkspaceLog]
    ) -> SnapshotInfo | None:
        """Move an unreadable file to the trash and go on with the log that reopen(event) gives; if that fails, the
        file is put back.
        """
        directory = self._dependencies.directory
        retired = directory.retire(None, name, kind.value)
        try:
            event = Event(kind, now_us(), revision=(retired.revision if retired else 0) + 1)
            self._open[name] = self._workspace(reopen(event))
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


def _kept(retired: SnapshotInfo | None, name: str) -> SnapshotInfo:
    if retired is None:
        raise NotFound("workspace", name)
    return retired
