"""A network that learns along with one workspace: a process that is told of the log, and asked.

What is taught is on disk before anybody here hears of it, so nothing can be lost here, only be late. A process that
ends is started again and goes on from its checkpoint.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import Exhausted, HaleganadaError, Precondition, Unavailable
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.model_names import ONLINE
from haleganada_server.core.models.classification import Answers
from haleganada_server.core.models.online_status import Learning, OnlineStatus
from haleganada_server.core.sample_log.ports import WorkspaceLog

from .child_client import Conversation, Heard
from .ports import LearnerRunner, ToDatasetRaster
from .sample_delta import News, SampleFeed

_READY_S = 120.0  # importing torch, and weights from a slow disk or network
_PATIENCE_S, _EACH_S = 30.0, 1.0  # for an answer, and more for each drawing: others may have asked before
_COUNTING_S = 0.25  # for its thread to look at a change of the log, which takes it milliseconds
_LEAST_LABELS = 2  # a network that knows one label has no other answer, and gives it with certainty
_GRACE_S = 5.0  # for a checkpoint
_REST_S, _LONGEST_REST_S = 2.0, 300.0  # before a process that ended is started again: doubled each time
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class LearnerDependencies:
    """What all learners share. backbone_weights: a file of ImageNet weights, None = torchvision's."""

    runner: LearnerRunner
    encoder: GlyphEncoder
    to_dataset: ToDatasetRaster
    backbone_weights: Path | None = None


class Learner:
    """Of one workspace. Safe from any thread. begin() it once, close() it once."""

    def __init__(
        self,
        learning: Learning,
        model: Path | None,
        folder: Path,
        log: Callable[[], WorkspaceLog],
        tools: LearnerDependencies,
    ) -> None:
        """model: the folder of the model that it starts from; None: its start is a preset. log: gives the workspace's
        present log.
        """
        self.folder = folder
        self._tools, self._log_now = tools, log
        self._first_words = {
            "start": {"model": str(model.absolute())} if model else {"preset": learning.start},
            "config": asdict(learning.config),
            "folder": str(folder.absolute()),
            "backbone_weights": str(tools.backbone_weights.absolute()) if tools.backbone_weights else None,
        }
        self._change = threading.Condition()  # guards all that follows
        self._status = OnlineStatus(learning)
        self._failure: Precondition | None = None
        self._talk: Conversation | None = None
        self._ready = self._stopping = False
        self._changes = 1  # of the log
        self._counted = 0  # of those, what the status knows
        self._aim: int | None = None  # the revision that its process was last told to learn
        self._thread = threading.Thread(target=self._work, name="online", daemon=True)

    @property
    def learning(self) -> Learning:
        """What was chosen."""
        return self._status.learning

    def status(self) -> OnlineStatus:
        """Where it stands now. A change of the log counts as soon as it is published, so this may wait a moment."""
        self._wait(lambda: self._talk is None or self._counted == self._changes, _COUNTING_S)
        return self._status

    def begin(self) -> None:
        """Start learning. Raises as the log does."""
        self._status = replace(self._status, left=self._log_now().count())
        self._thread.start()

    def wait_ready(self) -> None:
        """Until its process is there. Raises Precondition with what keeps it from starting, Exhausted if that takes too
        long, Unavailable if it is stopped.
        """
        self._wait(lambda: self._ready or self._stopping or self._failure is not None, _READY_S)
        if self._stopping:
            raise Unavailable("the server is stopping; activate the model again when it is back")
        if self._failure is not None:
            raise self._failure
        if not self._ready:
            raise Exhausted(
                "the network takes too long to start; try again when the machine is less busy", "SLOW_START"
            )

    def published(self) -> None:
        """The log has changed. Takes no time."""
        with self._change:
            self._changes += 1
            self._change.notify_all()

    def wait_learned(self, revision: int, patience_s: float) -> bool:
        """Whether its answers know a revision of the workspace, or come to know it in that time."""
        self._wait(lambda: self._knows(revision) or self._stopping or bool(self._status.failure), patience_s)
        return self._knows(revision)

    def answer(self, rasters: NDArray[np.uint8]) -> Answers | None:
        """What it makes of (n, 128, 128) drawings, n >= 1; None if it knows too few labels, or is silent."""
        talk = self._talk
        if talk is None or self._status.revision is None:
            return None
        drawings = np.stack([self._tools.to_dataset(raster) for raster in rasters])
        heard = talk.ask(drawings, _PATIENCE_S + _EACH_S * len(drawings))
        return _answers(heard, len(rasters)) if heard else None

    def stop(self) -> None:
        """Begin to end it."""
        with self._change:
            self._stopping = True
            self._change.notify_all()

    def close(self) -> None:
        """End it, with a checkpoint if one is worth it."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join()

    # Its thread

    def _work(self) -> None:
        rest = _REST_S
        while not self._stopping:
            learned = self._status.learned
            try:
                self._live()
            except Exception as error:
                self._ended(error)
            rest = _REST_S if self._status.learned > learned else min(2 * rest, _LONGEST_REST_S)
            self._wait(lambda: self._stopping, rest)

    def _live(self) -> None:
        """One process, from its start to its end. Raises what keeps it from starting, OSError once it has ended."""
        talk = Conversation(self._tools.runner.start(self.folder), self._heard, self._changed)
        talk.begin()
        try:
            talk.tell(self._first_words)
            self._wait(lambda: self._ready or talk.over or self._stopping)
            self._follow(talk)
        finally:
            with self._change:
                self._talk, self._ready, self._counted = None, False, 0
                self._status = replace(self._status, revision=None, rebuilding=False)
                self._change.notify_all()
            talk.close(_GRACE_S if self._stopping else 0)
        if not self._stopping:
            raise BrokenPipeError("the learner's process has ended")

    def _follow(self, talk: Conversation) -> None:
        """Tell a process that is there of every change, until it ends or nobody needs it any more."""
        feed = SampleFeed(self._tools.encoder, self._tools.to_dataset)
        self._talk = talk
        while not (talk.over or self._stopping):
            seen = self._changes  # what comes from now on is not seen yet
            try:
                news = feed.news(self._log_now())
                self._expect(news, seen)
                for message in news.messages if news else ():
                    talk.tell(*message)
            except Unavailable:
                feed = SampleFeed(self._tools.encoder, self._tools.to_dataset)  # another log takes this one's place
            self._wait_news(talk, seen)

    def _wait_news(self, talk: Conversation, seen: int) -> None:
        self._wait(lambda: self._changes > seen or talk.over or self._stopping)

    def _expect(self, news: News | None, seen: int) -> None:
        """What is to be learned, or learned again, is known before the process has seen it. seen: changes by then."""
        with self._change:
            if news is not None:
                self._status, self._aim = _expecting(self._status, news), news.revision
            self._counted = seen
            self._change.notify_all()

    def _ended(self, error: Exception) -> None:
        """Note why the process is gone."""
        if self._stopping:
            return
        if not isinstance(error, (OSError, HaleganadaError)):
            _log.error("learning online failed", exc_info=error)
        with self._change:
            self._failure = self._failure or (error if isinstance(error, Precondition) else _unexplained(error))
            self._status = replace(self._status, failure=self._failure.message)
            self._change.notify_all()

    # Its process's words

    def _heard(self, facts: dict[str, Any]) -> None:
        with self._change:
            if "failed" in facts:
                self._failure = Precondition(facts["failed"]["message"], facts["failed"]["reason"])
            elif "ready" in facts:
                self._ready, self._failure = True, None
                self._status = replace(self._status, failure="", labels_known=len(facts["labels"]))
            elif "learned" in facts:
                self._status = _learned(self._status, facts, facts["aim"] == self._aim)
            self._change.notify_all()

    def _changed(self) -> None:
        with self._change:
            self._change.notify_all()

    def _knows(self, revision: int) -> bool:
        return self._status.revision is not None and self._status.revision >= revision

    def _wait(self, until: Callable[[], bool], patience_s: float | None = None) -> None:
        with self._change:
            self._change.wait_for(until, patience_s)


def _expecting(status: OnlineStatus, news: News) -> OnlineStatus:
    learned = min(status.learned, news.kept)
    again = learned < status.learned and status.revision is not None
    return replace(status, learned=learned, left=news.samples - learned, rebuilding=status.rebuilding or again)


def _learned(status: OnlineStatus, facts: dict[str, Any], aimed: bool) -> OnlineStatus:
    """aimed: its process knows by now what it is to learn; before that it counts by what it was to learn earlier."""
    status = replace(status, revision=facts["published"], labels_known=facts["labels"])
    if not aimed:
        return status
    return replace(status, learned=facts["learned"], left=facts["left"], rebuilding=facts["rebuilding"])


def _answers(heard: Heard, count: int) -> Answers | None:
    """None if it knew too few labels."""
    facts, payload = heard
    labels = tuple(facts["labels"])
    if len(labels) < _LEAST_LABELS:
        return None
    rows = np.frombuffer(payload, np.float64).reshape(count, len(labels))
    return Answers(ONLINE, labels, rows, facts["revision"], {label: place for place, label in enumerate(labels)})


def _unexplained(error: Exception) -> Precondition:
    if isinstance(error, HaleganadaError):
        return Precondition(error.message, error.reason)
    return Precondition(
        "the network's process ended unexpectedly and is started again; if that goes on, see process.log below online "
        "in the server's data directory",
        "LEARNER_ENDED",
    )
