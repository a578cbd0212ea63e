"""The networks of a server that learn online: only a few, because each is a process with a network in its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.models.classification import ClassifierOutput
from haleganada_server.core.models.online_status import OnlineLearning, OnlineStatus
from haleganada_server.core.sample_log.ports import WorkspaceLog

from .learner import Learner, LearnerDependencies
from .ports import LearnerStore

CAPACITY = 2
_MAX_WAITING = 4  # of a server's call threads; the others answer predictions

GetLog = Callable[[], WorkspaceLog]


class Learners:
    """The learners of all workspaces. Safe from any thread. close() it once."""

    def __init__(
        self, dependencies: LearnerDependencies, store: LearnerStore, model_folder: Callable[[str], Path | None]
    ) -> None:
        """model_folder: returns the folder of the model that a network starts from, None for a preset."""
        self._dependencies, self._store, self._model_folder = dependencies, store, model_folder
        self._changing = threading.Lock()
        self._running: Mapping[str, Learner] = {}
        self._starting: Learner | None = None
        self._waiting = threading.BoundedSemaphore(_MAX_WAITING)

    def resume(self, active: Mapping[str, tuple[OnlineLearning, GetLog]]) -> None:
        """Start the learners of these workspaces again, without waiting for them; remove the folders of others."""
        with self._changing:
            self._running = {name: self._start_learner(name, *entry) for name, entry in active.items()}
            self._store.retain([learner.folder for learner in self._running.values()])

    def start(self, workspace: str, learning: OnlineLearning, log: GetLog, save: Callable[[], None]) -> None:
        """Start a network that learns online, replacing another one of that workspace; returns once it is ready. save:
        makes the change durable once the network is ready.

        Raises InvalidInput, NotFound, Precondition with what is missing, Exhausted, Unavailable, and what save raises;
        the earlier network continues then.
        """
        learning.config.check()
        self._dependencies.runner.require()
        with self._changing:
            earlier = self._running.get(workspace)
            if earlier is not None and earlier.learning == learning:
                earlier.wait_until_ready()
                return
            self._require_capacity(workspace)
            learner = self._starting = self._start_learner(workspace, learning, log)
            try:
                learner.wait_until_ready()
                save()
            except Exception:
                self._discard(learner)
                raise
            finally:
                self._starting = None
            self._running = {**self._running, workspace: learner}
            if earlier is not None:
                self._discard(earlier)

    def discard(self, workspace: str) -> None:
        """End a workspace's network and delete its state; the samples stay in the workspace's log."""
        if workspace not in self._running:
            return  # do not wait for another workspace's network to start, which takes long
        with self._changing:
            learner = self._running.get(workspace)
            if learner is not None:
                self._running = {name: other for name, other in self._running.items() if name != workspace}
                self._discard(learner)

    def has_learner(self, workspace: str) -> bool:
        """Return whether a network learns online with a workspace."""
        return workspace in self._running

    def notify_change(self, workspace: str) -> None:
        """Note that a workspace has changed. Returns at once."""
        learner = self._running.get(workspace)
        if learner is not None:
            learner.notify_change()

    def status(self, workspace: str) -> OnlineStatus | None:
        """Return the status of a workspace's network; None if it has none."""
        learner = self._running.get(workspace)
        return learner.status() if learner is not None else None

    def predict(self, workspace: str, rasters: NDArray[np.uint8]) -> ClassifierOutput | None:
        """Classify drawings as Learner.predict does; None also if there is no such network."""
        learner = self._running.get(workspace)
        return learner.predict(rasters) if learner is not None else None

    def wait_until_learned(self, workspace: str, revision: int, timeout_s: float) -> bool:
        """Wait as Learner.wait_until_learned does; False at once if there is no such network or too many calls wait."""
        learner = self._running.get(workspace)
        if learner is None or not self._waiting.acquire(blocking=False):
            return False
        try:
            return learner.wait_until_learned(revision, timeout_s)
        finally:
            self._waiting.release()

    def close(self) -> None:
        """End all processes; they resume at the next start."""
        starting = self._starting
        if starting is not None:
            starting.stop()
        with self._changing:
            for learner in self._running.values():
                learner.stop()
            for learner in self._running.values():
                learner.close()

    def _start_learner(self, workspace: str, learning: OnlineLearning, log: GetLog) -> Learner:
        model = self._model_folder(learning.start)
        learner = Learner(learning, model, self._store.create(workspace, learning), log, self._dependencies)
        learner.start()
        return learner

    def _require_capacity(self, workspace: str) -> None:
        others = sorted(name for name in self._running if name != workspace)
        if len(others) >= CAPACITY:
            named = " and ".join(f"“{name}”" for name in others)
            raise Precondition(
                f"networks already learn online in {named}, which is as many as this server allows; activate "
                "“few-shot” in one of these workspaces first",
                Reason.TOO_MANY_LEARNERS,
            )

    def _discard(self, learner: Learner) -> None:
        learner.close()
        self._store.remove(learner.folder)
