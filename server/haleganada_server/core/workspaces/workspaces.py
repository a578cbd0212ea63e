"""All workspaces of a server: found by name, created, reset, deleted and restored; loaded when they are used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.baton import locked
from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import AlreadyExists, DataLoss, Exhausted, NotFound, Precondition, Unavailable
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.ports import Raster
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.labels import DEFAULT_WORKSPACE, workspace_name
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.models import StoredModel
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.online_status import OnlineLearning, OnlineStatus
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.core.shares.quotas import WORKSPACES, Quota, only_limited, require_workspaces

from .background_adaptation import BackgroundAdaptation
from .dependencies import WorkspaceDependencies
from .loading import KnowledgeLoader
from .ports import ExportFile
from .prediction_memory import RememberedPrediction
from .reembedding import Reembedder
from .residency.census import Census
from .residency.entry import Entry
from .residency.following import Follower
from .residency.overview import Overview, outline_loaded
from .residency.registry import Registry, Use
from .residency.survey import Survey
from .snapshots.automatic import AutomaticSnapshots
from .snapshots.keeper import SnapshotKeeper
from .types import Lag, SnapshotInfo, TransferFormat, WorkspaceInfo
from .workspace import Workspace

_log = logging.getLogger(__name__)


class Workspaces:
    """The workspaces on disk, of which those in use are in memory. Safe from any thread."""

    def __init__(self, dependencies: WorkspaceDependencies) -> None:
        """Find the workspaces on disk, and load “default”. Others are loaded when they are used first; a corrupt one
        does not stop the others. Stale samples are re-embedded afterwards, in the background.
        """
        self._dependencies = dependencies
        self._reembedder = Reembedder(dependencies.encoder)
        self._background_adaptation = BackgroundAdaptation()
        self.snapshot_keeper = SnapshotKeeper(dependencies.directory, dependencies.retention)
        self.automatic_snapshots = AutomaticSnapshots(self.snapshot_keeper, self.use, dependencies.schedule)
        self._lock = threading.RLock()  # held while a workspace is created, replaced or deleted
        self._registry = Registry(
            self._load,
            dependencies.memory_budget,
            dependencies.learners.has_learner,
            self._note_unloading,
            self._has_appeared,
        )
        self._follower = Follower(self._registry, dependencies.directory, dependencies.predictions.forget)
        self._overview = Overview(self._registry, dependencies)
        self._survey = Survey(self._registry, self._overview.outline)
        self._find_on_disk()
        dependencies.models.active_models.retain(self.names())
        dependencies.learners.resume(
            {name: (chosen, self._log_getter(name)) for name, chosen in self._learning().items()}
        )
        self._reembedder.start()
        self._background_adaptation.start()
        self.automatic_snapshots.start()
        self._survey.add(self.names())
        self._survey.start()
        self._follower.start()
        if dependencies.others is not None:
            dependencies.others.answer(self._find_prediction)

    def use(self, name: str = "") -> Use:
        """Return a context whose block gets the workspace of that name, "" = “default”, and keeps it in memory.

        Entering it raises NotFound, DataLoss if the file cannot be read, Unavailable or Exhausted if the machine cannot
        open it now. It costs a lookup if the workspace is in memory: Predict takes no lock.
        """
        return self._registry.use(workspace_name(name))

    def get(self, name: str = "") -> Workspace:
        """Return a workspace, loaded if need be, which may be closed as soon as others need its memory; what takes
        longer than a call does needs use(). Raises as use does.
        """
        with self.use(name) as workspace:
            return workspace

    def adapt_knowledge(self, name: str) -> Knowledge:
        """Return what a workspace knows now, with a head that has adapted to all of it. Raises as use does."""
        with self.use(name) as workspace:
            return workspace.adapt()

    def exchange(
        self,
        name: str,
        taught: Sequence[tuple[str, Drawing]],
        forgotten: Sequence[tuple[int, Raster]],
        client: Caller = LOCAL_CALLER,
    ) -> tuple[int, ...]:
        """See Workspace.exchange. Raises as use does, too."""
        with self.use(name) as workspace:
            return workspace.exchange(taught, forgotten, client)

    def create(self, name: str) -> WorkspaceInfo:
        """Create an empty workspace. Raises AlreadyExists, InvalidInput, QuotaExceeded."""
        name = workspace_name(name)
        with locked(self._lock):
            if self._dependencies.directory.exists(name):
                raise AlreadyExists(
                    f"there is already a workspace “{name}”; use it, or choose another name", Reason.WORKSPACE_EXISTS
                )
            self._require_room_for_one()
            self._registry.add(name, self._create(name))
            return self.info(name)

    def list_quotas(self) -> tuple[Quota, ...]:
        """Return the quotas of all workspaces together, and what is used of them."""
        return only_limited([(WORKSPACES, len(self.names()), self._dependencies.max_workspaces)])

    def info(self, name: str = "") -> WorkspaceInfo:
        """Return what a list shows of a workspace, which may be corrupt; the workspace is loaded for that. Raises
        NotFound.
        """
        name = workspace_name(name)
        try:
            with self.use(name) as workspace:
                return self._overview.describe(name, outline_loaded(workspace))
        except DataLoss:
            return self._overview.describe(name, None)

    def page(
        self, after: str = "", limit: int = 50, is_shown: Callable[[str], bool] = lambda _name: True
    ) -> list[WorkspaceInfo]:
        """Return at most `limit` of those workspaces that are to be shown, by name, starting after the name `after`.
        None is loaded for that: damage that is only found when a workspace is loaded is shown from then on.
        """
        found: list[WorkspaceInfo] = []
        for name in self.names():
            if name > after and len(found) < limit and is_shown(name):
                with suppress(NotFound):  # deleted meanwhile
                    found.append(self._overview.describe_briefly(name))
        return found

    def names(self) -> list[str]:
        """Return the names of all workspaces, sorted, corrupt ones included."""
        if self._dependencies.directory.is_shared:
            self._follower.learn_names()
        return self._registry.names()

    def census(self) -> Census:
        """Return how many workspaces there are, and what is in them; nothing is read from the disk for that."""
        return self._registry.census()

    def measure_lag(self) -> Lag | None:
        """Return how well changes by other servers are followed; None if there are no others."""
        return self._dependencies.directory.measure_lag()

    def list_loaded_names(self) -> list[str]:
        """Return the names of the workspaces that are in memory, sorted."""
        return sorted(workspace.log.name for workspace in self._registry.list_loaded())

    def activate_model(self, name: str, model: str) -> StoredModel | None:
        """Set a workspace's active model, and return it; None for “few-shot”. Raises NotFound, Precondition for another
        model if servers share the workspace but not their models, and what Models.activate raises.
        """
        name = workspace_name(name)
        if model != FEW_SHOT and self._dependencies.directory.is_shared and not self._dependencies.models.are_shared:
            raise Precondition(
                "this server is one of a cluster, and each has models of its own, so none can answer for a workspace: "
                "the others would answer otherwise. Start all servers with the same --objects, which share their "
                "models then; or name the model in Predict, at the server that has it",
                Reason.NOT_SHARED,
            )
        with locked(self._lock), self.use(name):
            chosen = self._dependencies.models.activate(name, model)
        self._dependencies.learners.discard(name)
        return chosen

    def start_online_learning(
        self, name: str, start: str, config: OnlineConfig
    ) -> tuple[StoredModel | None, OnlineStatus]:
        """Start an online network for a workspace, which starts as a preset or model, learns every drawing, and becomes
        the active model. Return the model that it starts from, None for a preset, and its status.

        Returns once the network is ready, which may take long. Raises NotFound, Precondition if servers share the
        workspace, and what Learners.start and Models.activate_online raise; nothing has changed then.
        """
        name = workspace_name(name)
        self._require_alone()
        models, learners = self._dependencies.models, self._dependencies.learners
        model = models.find_online_start(start)
        learning = OnlineLearning(model.model_id if model else start, config)
        with self.use(name):  # once it learns, the learner keeps it in memory
            entry = self._registry.require(name)

            def save() -> None:
                with locked(self._lock):
                    if entry.is_deleted:
                        raise NotFound("workspace", name, "it was deleted meanwhile")
                    models.activate_online(name, learning)

            learners.start(name, learning, self._log_getter(name), save)
        return model, learners.status(name) or OnlineStatus(learning=learning)

    def snapshots(self, name: str = "") -> list[SnapshotInfo]:
        """Return the snapshots of a workspace, also of a deleted one, newest first."""
        return self._dependencies.directory.snapshots(workspace_name(name))

    def export_snapshot(self, name: str, snapshot_id: str, transfer_format: TransferFormat) -> ExportFile:
        """Write a snapshot's samples to a file, which the caller closes. Raises NotFound, DataLoss."""
        return self._dependencies.directory.export_snapshot(workspace_name(name), snapshot_id, transfer_format)

    def delete(self, name: str, confirm: str) -> SnapshotInfo | None:
        """Move a workspace to its trash; return what is there now, None if its file had vanished. Raises Precondition
        without the right confirmation, or for “default”.
        """
        name = workspace_name(name)
        _require_confirmation(name, confirm)
        if name == DEFAULT_WORKSPACE:
            raise Precondition("the workspace “default” always exists; reset it instead", Reason.DEFAULT_WORKSPACE)
        with locked(self._lock):
            entry = self._registry.require(name)
            with self._reload_if_closed(entry):
                workspace = self._registry.load_if_readable(entry)
                deleted = workspace.state.delete_log() if workspace else self._dependencies.directory.delete(name, None)
                self._registry.remove(entry)
            self._dependencies.models.active_models.forget(name)
        self._dependencies.predictions.forget(name)
        self._dependencies.learners.discard(name)  # outside the lock, which a learner that is starting may wait for
        return deleted

    def reset(
        self, name: str, confirm: str, expected_revision: int | None = None, client: Caller = LOCAL_CALLER
    ) -> tuple[SnapshotInfo | None, int]:
        """Empty a workspace; return its former state, in the trash, None if its file had vanished, and the new
        revision. Raises Precondition, RevisionMismatch.
        """
        name = workspace_name(name)
        _require_confirmation(name, confirm)
        with locked(self._lock):
            retired = self._replace(self._registry.require(name), ChangeKind.RESET, expected_revision, client)
            return retired, self.get(name).knowledge.revision

    def restore(
        self, name: str, snapshot_id: str, expected_revision: int | None = None, client: Caller = LOCAL_CALLER
    ) -> tuple[WorkspaceInfo, SnapshotInfo | None]:
        """Restore a snapshot; return the workspace and the state that was replaced, in the trash. Raises NotFound,
        RevisionMismatch, DataLoss.
        """
        name = workspace_name(name)
        if all(kept.snapshot_id != snapshot_id for kept in self._dependencies.directory.snapshots(name)):
            raise NotFound("snapshot", snapshot_id, f"list the snapshots of “{name}”")
        with locked(self._lock):
            entry = self._registry.find(name) or self._make_entry(name)
            retired = self._replace(entry, ChangeKind.RESTORE, expected_revision, client, snapshot_id)
        return self.info(name), retired

    def _find_prediction(self, workspace: str, prediction_id: str) -> RememberedPrediction | None:
        """See OtherMemories.answer."""
        found = self._dependencies.predictions.find(workspace, prediction_id)
        if found is None:
            return None
        stored = self._dependencies.encoder.to_stored(found.drawing)
        return replace(found, drawing=replace(found.drawing, source=stored))

    def close(self) -> None:
        """Finish changes in progress, close all logs, release the data directory."""
        self._survey.close()
        self._dependencies.learners.close()
        self.automatic_snapshots.close()
        with locked(self._lock):
            self._reembedder.close()
            self._background_adaptation.close()
            for workspace in self._registry.list_loaded():
                workspace.close()
            self._dependencies.directory.close()

    def _has_appeared(self, name: str) -> bool:
        """Return whether another server has created a workspace."""
        directory = self._dependencies.directory
        return directory.is_shared and directory.exists(name)

    def _require_alone(self) -> None:
        """Raise Precondition if other servers use the workspaces, which would not learn."""
        if self._dependencies.directory.is_shared:
            raise Precondition(
                "this server is one of a cluster, and a network that learns online learns at one server alone: the "
                "others would answer otherwise. Train a model on a data set instead",
                Reason.NOT_SHARED,
            )

    def _make_entry(self, name: str) -> Entry:
        """Return the entry of a workspace that does not exist yet, or no longer. Raises QuotaExceeded."""
        self._require_room_for_one()
        return Entry(name)

    def _require_room_for_one(self) -> None:
        require_workspaces(len(self.names()) + 1, self._dependencies.max_workspaces)

    # Loading

    def _find_on_disk(self) -> None:
        directory = self._dependencies.directory
        self._registry.add_names(directory.names())
        if not directory.exists(DEFAULT_WORKSPACE):
            with suppress(AlreadyExists):  # another server has just created it
                self._registry.add(DEFAULT_WORKSPACE, self._create(DEFAULT_WORKSPACE))
                return
            self._registry.add_names([DEFAULT_WORKSPACE])
        self._try_load(DEFAULT_WORKSPACE)

    def _create(self, name: str) -> Workspace:
        loader = self._dependencies.make_loader()
        return self._make_workspace(self._dependencies.directory.create(name, loader), loader)

    def _load(self, name: str) -> Workspace:
        loader = self._dependencies.make_loader()
        return self._make_workspace(self._dependencies.directory.open(name, loader), loader)

    def _make_workspace(self, log: WorkspaceLog, loader: KnowledgeLoader) -> Workspace:
        try:
            return Workspace(
                log, self._dependencies, self._reembedder, self._background_adaptation, self.automatic_snapshots, loader
            )
        except BaseException:
            log.close()
            raise

    def _try_load(self, name: str) -> bool:
        """Load a workspace at the start; return whether that was possible."""
        try:
            return self._registry.load_if_readable(self._registry.require(name)) is not None
        except (Exhausted, Unavailable) as error:  # of the machine; the next call tries again
            _log.warning("workspace %r is opened at the next call: %s", name, error.message)
            return False

    def _note_unloading(self, entry: Entry, workspace: Workspace) -> None:
        """Keep what lists show of a workspace that is about to be closed."""
        entry.outline = outline_loaded(workspace)
        if workspace.state.has_samples_to_embed():
            self._survey.add([entry.name])

    def _learning(self) -> dict[str, OnlineLearning]:
        """Return how each readable workspace learns that has an online network."""
        learning = self._dependencies.models.active_models.online_learning()
        return {name: kept for name, kept in learning.items() if self._try_load(name)}

    def _log_getter(self, name: str) -> Callable[[], WorkspaceLog]:
        return lambda: self.get(name).log

    # Replacing

    def _replace(
        self, entry: Entry, kind: ChangeKind, expected_revision: int | None, client: Caller, snapshot_id: str = ""
    ) -> SnapshotInfo | None:
        """Replace a workspace's log, also that of a corrupt or deleted one."""
        exists = self._registry.find(entry.name) is entry
        with self._reload_if_closed(entry):
            workspace = self._registry.load_if_readable(entry) if exists else None
            if workspace is not None:
                return workspace.state.replace_log(kind, expected_revision, snapshot_id, client)
            event = Event(kind, now_us(), client=str(client), revision=1)
            loader = self._dependencies.make_loader()
            log, retired = self._dependencies.directory.replace(entry.name, None, event, snapshot_id, loader)
            self._registry.restore(entry)  # exists from now on, even if it cannot be loaded yet
            self._registry.put(entry, self._make_workspace(log, loader))
            self.automatic_snapshots.note_kept(entry.name)
            return retired

    @contextmanager
    def _reload_if_closed(self, entry: Entry) -> Iterator[None]:
        """Hold an entry; load its workspace at the next call if the block fails and has closed its log."""
        with self._registry.hold(entry):
            try:
                yield
            except BaseException:
                if entry.workspace is not None and entry.workspace.log.closed:
                    self._registry.drop(entry)
                raise


def _require_confirmation(name: str, confirm: str) -> None:
    if confirm != name:
        raise Precondition(f"to go on, repeat the workspace's name, “{name}”, in confirm", Reason.CONFIRMATION_NEEDED)
