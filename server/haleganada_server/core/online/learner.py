"""A network that learns online with one workspace: a child process that follows the log and predicts.

Samples are on disk before they get here, so nothing can be lost here, only be late. A process that ends is restarted
and continues from its checkpoint.
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

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Exhausted, HaleganadaError, Precondition, Unavailable
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.model_names import ONLINE
from haleganada_server.core.models.classification import ClassifierOutput
from haleganada_server.core.models.online_status import OnlineLearning, OnlineStatus
from haleganada_server.core.sample_log.ports import WorkspaceLog

from .child_client import ChildClient, Message
from .ports import LearnerRunner, ToDatasetRaster
from .sample_delta import DeltaFeed, SampleDelta
from .saved_answers import AnswersCard, hash_samples

_READY_S = 120.0  # importing torch, and reading weights from a slow disk or network
_REPLY_S, _REPLY_PER_DRAWING_S = 30.0, 1.0  # requests queue up behind those of other callers
_STATUS_S = 0.25  # for the thread to see a change of the log, which takes it milliseconds
_MIN_LABELS = 2  # a network that knows one label always answers it, with certainty
_GRACE_S = 8.0  # for a checkpoint, and the network that answers at the next start
_RETRY_S, _MAX_RETRY_S = 2.0, 300.0  # before a process that ended is started again; doubled each time
_log = logging.getLogger(__name__)


SavedAnswers = tuple[AnswersCard, Callable[[NDArray[np.uint8]], NDArray[np.float64]]]


@dataclass(frozen=True, slots=True, eq=False)
class LearnerDependencies:
    """What all learners share. backbone_weights: files of ImageNet weights. load_answers: returns what an earlier
    process has left in a folder, a card and what classifies (n, 64, 64) drawings; None: nothing that can be used.
    """

    runner: LearnerRunner
    encoder: GlyphEncoder
    to_dataset: ToDatasetRaster
    backbone_weights: tuple[Path, ...] = ()
    load_answers: Callable[[Path], SavedAnswers | None] = lambda _: None


class Learner:
    """Online learning of one workspace. Safe from any thread. start() it once, close() it once."""

    def __init__(
        self,
        learning: OnlineLearning,
        model: Path | None,
        folder: Path,
        log: Callable[[], WorkspaceLog],
        dependencies: LearnerDependencies,
    ) -> None:
        """model: the folder of the model to start from; None: start from a preset. log: returns the
        workspace's current log.
        """
        self.folder = folder
        self._dependencies, self._get_log = dependencies, log
        self._start_message = {
            "start": {"model": str(model.absolute())} if model else {"preset": learning.start},
            "config": asdict(learning.config),
            "folder": str(folder.absolute()),
            "backbone_weights": [str(path.absolute()) for path in dependencies.backbone_weights],
        }
        self._changed = threading.Condition()  # guards all that follows
        self._status = OnlineStatus(learning=learning)
        self._error: Precondition | None = None
        self._client: ChildClient | None = None
        self._saved: SavedAnswers | None = None  # of an earlier process, until this one has published
        self._saved_checked = 0  # changes of the log that were there when it last belonged to the log
        self._is_ready = self._is_stopping = False
        self._changes = 1  # of the log
        self._counted = 0  # of those changes, the ones included in the status
        self._target: int | None = None  # the revision that the process was last asked to learn
        self._thread = threading.Thread(target=self._run, name="online", daemon=True)

    @property
    def learning(self) -> OnlineLearning:
        """How the network learns."""
        return self._status.learning

    def status(self) -> OnlineStatus:
        """Return the status. It includes all published changes of the log, so this may wait a moment. While what an
        earlier process has left answers, it tells of that.
        """
        self._wait(lambda: self._client is None or self._counted == self._changes, _STATUS_S)
        status = self._status
        saved = self._find_saved() if status.revision is None else None
        if saved is None:
            return status
        card = saved[0]
        left = max(0, self._get_log().count() - card.learned)
        return replace(status, revision=card.revision, labels_known=len(card.labels), learned=card.learned, left=left)

    def start(self) -> None:
        """Start learning. Raises as the log does."""
        self._status = replace(self._status, left=self._get_log().count())
        self._saved = self._dependencies.load_answers(self.folder)
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Wait until the process has started. Raises Precondition with the reason if it cannot start, Exhausted if that
        takes too long, Unavailable if the learner is stopped.
        """
        self._wait(lambda: self._is_ready or self._is_stopping or self._error is not None, _READY_S)
        if self._is_stopping:
            raise Unavailable("the server is stopping; activate the model again when it is back")
        if self._error is not None:
            raise self._error
        if not self._is_ready:
            raise Exhausted(
                "the network takes too long to start; try again when the machine is less busy", Reason.SLOW_START
            )

    def notify_change(self) -> None:
        """Note that the log has changed. Returns at once."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def wait_until_learned(self, revision: int, timeout_s: float) -> bool:
        """Wait until predictions include a revision of the workspace; False if they do not in time."""
        self._wait(lambda: self._has_learned(revision) or self._is_stopping or bool(self._status.error), timeout_s)
        return self._has_learned(revision)

    def predict(self, rasters: NDArray[np.uint8]) -> ClassifierOutput | None:
        """Classify (n, 128, 128) drawings, n >= 1; None if the network knows too few labels or does not reply. Until it
        has published, what an earlier process has left answers. Raises
        DataLoss if the model that it starts from is damaged, so that it will not answer until somebody decides.
        """
        client, error = self._client, self._error
        if error is not None and error.reason == Reason.MODEL_DAMAGED:
            raise DataLoss(error.message, error.reason)
        saved = self._find_saved() if self._status.revision is None else None
        if saved is None and (client is None or self._status.revision is None):
            return None
        drawings = np.stack([self._dependencies.to_dataset(raster) for raster in rasters])
        if saved is not None or client is None:
            return _answer_from(saved, drawings) if saved else None
        reply = client.request_probabilities(drawings, _REPLY_S + _REPLY_PER_DRAWING_S * len(drawings))
        return _parse_reply(reply, len(rasters)) if reply else None

    def _find_saved(self) -> SavedAnswers | None:
        """Return what an earlier process has left if it has learned the log's first live samples and no others."""
        saved, changes = self._saved, self._changes
        if saved is None or self._saved_checked == changes:
            return saved
        card = saved[0]
        try:
            _, live = self._get_log().live_samples()
        except HaleganadaError:
            return None
        belongs = len(live) >= card.learned and hash_samples(live[: card.learned]) == card.samples_sha256
        with self._changed:
            if belongs:
                self._saved_checked = changes
            else:
                self._saved = None
        return self._saved

    def stop(self) -> None:
        """Begin to end it. Returns at once."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def close(self) -> None:
        """End it, after a checkpoint if one is worthwhile."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join()

    # The learner's thread

    def _run(self) -> None:
        pause_s = _RETRY_S
        while not self._is_stopping:
            learned = self._status.learned
            try:
                self._run_process()
            except Exception as error:
                self._record_end(error)
            pause_s = _RETRY_S if self._status.learned > learned else min(2 * pause_s, _MAX_RETRY_S)
            self._wait(lambda: self._is_stopping, pause_s)

    def _run_process(self) -> None:
        """Run one process from start to end. Raises what keeps it from starting, OSError once it has ended."""
        client = ChildClient(self._dependencies.runner.start(self.folder), self._on_message, self._on_end)
        client.start()
        try:
            client.send(self._start_message)
            self._wait(lambda: self._is_ready or client.has_ended or self._is_stopping)
            self._send_changes(client)
        finally:
            with self._changed:
                self._client, self._is_ready, self._counted = None, False, 0
                self._saved, self._saved_checked = self._dependencies.load_answers(self.folder), 0
                self._status = replace(self._status, revision=None, rebuilding=False)
                self._changed.notify_all()
            client.close(_GRACE_S if self._is_stopping else 0)
        if not self._is_stopping:
            raise BrokenPipeError("the learner's process has ended")

    def _send_changes(self, client: ChildClient) -> None:
        """Send every change of the log to a running process, until it ends or the learner is stopped."""
        feed = DeltaFeed(self._dependencies.encoder, self._dependencies.to_dataset)
        self._client = client
        while not (client.has_ended or self._is_stopping):
            seen = self._changes  # later changes are not included
            try:
                delta = feed.next_delta(self._get_log())
                self._expect(delta, seen)
                for message in delta.messages if delta else ():
                    client.send(*message)
            except Unavailable:  # another log replaces this one
                feed = DeltaFeed(self._dependencies.encoder, self._dependencies.to_dataset)
            self._wait_for_change(client, seen)

    def _wait_for_change(self, client: ChildClient, seen: int) -> None:
        self._wait(lambda: self._changes > seen or client.has_ended or self._is_stopping)

    def _expect(self, delta: SampleDelta | None, seen: int) -> None:
        """Count what has to be learned, or relearned, before the process receives it. seen: changes until then."""
        with self._changed:
            if delta is not None:
                self._status, self._target = _status_before(self._status, delta), delta.revision
            self._counted = seen
            self._changed.notify_all()

    def _record_end(self, error: Exception) -> None:
        """Record why the process ended."""
        if self._is_stopping:
            return
        if not isinstance(error, (OSError, HaleganadaError)):
            _log.error("online learning failed", exc_info=error)
        with self._changed:
            self._error = self._error or (error if isinstance(error, Precondition) else _explain_end(error))
            self._status = replace(self._status, error=self._error.message)
            self._changed.notify_all()

    # Messages of the process

    def _on_message(self, fields: dict[str, Any]) -> None:
        with self._changed:
            if "failed" in fields:
                self._error = Precondition(fields["failed"]["message"], Reason.of(fields["failed"]["reason"]))
            elif "ready" in fields:
                self._is_ready, self._error = True, None
                self._status = replace(self._status, error="", labels_known=len(fields["labels"]))
            elif "learned" in fields:
                self._status = _status_after(self._status, fields, fields["target"] == self._target)
                if self._status.revision is not None:
                    self._saved = None
            self._changed.notify_all()

    def _on_end(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _has_learned(self, revision: int) -> bool:
        return self._status.revision is not None and self._status.revision >= revision

    def _wait(self, until: Callable[[], bool], timeout_s: float | None = None) -> None:
        with self._changed:
            self._changed.wait_for(until, timeout_s)


def _status_before(status: OnlineStatus, delta: SampleDelta) -> OnlineStatus:
    """Return the status once a delta is about to be sent."""
    learned = min(status.learned, delta.kept)
    restarts = learned < status.learned and status.revision is not None
    return replace(status, learned=learned, left=delta.samples - learned, rebuilding=status.rebuilding or restarts)


def _status_after(status: OnlineStatus, fields: dict[str, Any], has_target: bool) -> OnlineStatus:
    """Return the status after a progress message. has_target: the process works on the latest revision that it was
    sent; before that, its counts refer to an earlier one.
    """
    status = replace(status, revision=fields["published"], labels_known=fields["labels"])
    if not has_target:
        return status
    return replace(status, learned=fields["learned"], left=fields["left"], rebuilding=fields["rebuilding"])


def _answer_from(saved: SavedAnswers, drawings: NDArray[np.uint8]) -> ClassifierOutput | None:
    card, classify = saved
    fields = {"labels": card.labels, "revision": card.revision}
    return _parse_reply((fields, classify(drawings).tobytes()), len(drawings))


def _parse_reply(reply: Message, count: int) -> ClassifierOutput | None:
    """Return the probabilities of `count` drawings; None if the network knew too few labels."""
    fields, payload = reply
    labels = tuple(fields["labels"])
    if len(labels) < _MIN_LABELS:
        return None
    return ClassifierOutput(
        model_id=ONLINE,
        labels=labels,
        probabilities=np.frombuffer(payload, np.float64).reshape(count, len(labels)),
        unknown=np.zeros(count),
        revision=fields["revision"],
        index={label: column for column, label in enumerate(labels)},
    )


def _explain_end(error: Exception) -> Precondition:
    if isinstance(error, HaleganadaError):
        return Precondition(error.message, error.reason)
    return Precondition(
        "the network's process ended unexpectedly and will be restarted; if that happens again, see "
        "online/*/process.log in the server's data directory",
        Reason.LEARNER_ENDED,
    )
