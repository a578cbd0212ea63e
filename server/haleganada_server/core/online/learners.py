"""The networks that learn along with workspaces, a few on a server: each is a process with a network in its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import Precondition
from haleganada_server.core.models.classification import Answers
from haleganada_server.core.models.online_status import Learning, OnlineStatus
from haleganada_server.core.sample_log.ports import WorkspaceLog

from .learner import Learner, LearnerDependencies
from .ports import LearnerFolders

CAPACITY = 2
_MOST_WAITING = 4  # of a server's threads for calls; the others answer predictions

LogOf = Callable[[], WorkspaceLog]


class Learners:
    """Of all workspaces. Safe from any thread. close() it once."""

    def __init__(
        self, tools: LearnerDependencies, folders: LearnerFolders, model_folder: Callable[[str], Path | None]
    ) -> None:
        """model_folder: of the model that a network starts from, None for a preset; raises NotFound."""
        self._tools, self._folders, self._model_folder = tools, folders, model_folder
        self._changing = threading.Lock()
        self._running: Mapping[str, Learner] = {}
        self._starting: Learner | None = None
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def resume(self, kept: Mapping[str, tuple[Learning, LogOf]]) -> None:
        """Go on with those of the last time, without waiting for them; what others left is removed."""
        with self._changing:
            self._running = {name: self._begun(name, *choice) for name, choice in kept.items()}
            self._folders.keep_to([learner.folder for learner in self._running.values()])

    def begin(self, workspace: str, learning: Learning, log: LogOf, keep: Callable[[], None]) -> None:
        """Let a network learn along; returns once it is there, in place of another one of that workspace. keep: makes
        the choice durable, once the network is there.

        Raises InvalidInput, NotFound, Precondition with what is missing, Exhausted, Unavailable, and what keep raises;
        an earlier network goes on then.
        """
        learning.config.check()
        self._tools.runner.require()
        with self._changing:
            earlier = self._running.get(workspace)
            if earlier is not None and earlier.learning == learning:
                earlier.wait_ready()
                return
            self._require_room(workspace)
            learner = self._starting = self._begun(workspace, learning, log)
            try:
                learner.wait_ready()
                keep()
            except Exception:
                self._discard(learner)
                raise
            finally:
                self._starting = None
            self._running = {**self._running, workspace: learner}
            if earlier is not None:
                self._discard(earlier)

    def end(self, workspace: str) -> None:
        """What it learned is forgotten; what was taught is in the workspace's log."""
        if workspace not in self._running:
            return  # another workspace's may be starting, which takes long
        with self._changing:
            learner = self._running.get(workspace)
            if learner is not None:
                self._running = {name: other for name, other in self._running.items() if name != workspace}
                self._discard(learner)

    def published(self, workspace: str) -> None:
        """A workspace has changed. Takes no time."""
        learner = self._running.get(workspace)
        if learner is not None:
            learner.published()

    def status(self, workspace: str) -> OnlineStatus | None:
        """None for a workspace without such a network."""
        learner = self._running.get(workspace)
        return learner.status() if learner is not None else None

    def answer(self, workspace: str, rasters: NDArray[np.uint8]) -> Answers | None:
        """As Learner.answer; None also if there is no such network."""
        learner = self._running.get(workspace)
        return learner.answer(rasters) if learner is not None else None

    def wait_learned(self, workspace: str, revision: int, patience_s: float) -> bool:
        """As Learner.wait_learned; False at once if there is no such network, or if many wait already."""
        learner = self._running.get(workspace)
        if learner is None or not self._waiting.acquire(blocking=False):
            return False
        try:
            return learner.wait_learned(revision, patience_s)
        finally:
            self._waiting.release()

    def close(self) -> None:
        """End all processes; they go on at the next start."""
        starting = self._starting
        if starting is not None:
            starting.stop()
        with self._changing:
            for learner in self._running.values():
                learner.stop()
            for learner in self._running.values():
                learner.close()

    def _begun(self, workspace: str, learning: Learning, log: LogOf) -> Learner:
        model = self._model_folder(learning.start)
        learner = Learner(learning, model, self._folders.make(workspace, learning), log, self._tools)
        learner.begin()
        return learner

    def _require_room(self, workspace: str) -> None:
        others = sorted(name for name in self._running if name != workspace)
        if len(others) >= CAPACITY:
            named = " and ".join(f"“{name}”" for name in others)
            raise Precondition(
                f"networks learn along with {named} already, which is as many as this server has room for; activate "
                "“few-shot” in one of them first",
                "TOO_MANY_LEARNERS",
            )

    def _discard(self, learner: Learner) -> None:
        learner.close()
        self._folders.remove(learner.folder)
