"""Learning in a thread of its own, with lower priority than the thread that predicts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from haleganada_server.training.common.taught_drawing import TaughtDrawing

from .checkpoint_policy import CheckpointPolicy
from .learner import OnlineLearner

_NICER = 10  # than the thread that predicts
_MAX_NICE = 19
_PUBLISH_S = 0.25
"""Between two publications while samples remain: a copy of cnn36 takes 6 ms, of the transformer 18 ms, which is up to a
fifth of the time of learning without replay, and a hundredth with it.
"""

Target = tuple[Sequence[TaughtDrawing], int]


class LearningWorker:
    """Learns the newest target. start() it once, stop() it once."""

    def __init__(
        self,
        learner: OnlineLearner,
        on_progress: Callable[[dict[str, Any]], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """on_progress: called after each sample and each target. on_error: called with what ended learning. Both are
        called in the worker's thread.
        """
        self._learner, self._on_progress, self._on_error = learner, on_progress, on_error
        self._checkpoints = CheckpointPolicy(learner.save)
        self._published_at = 0.0
        self._changed = threading.Condition()  # guards the two that follow
        self._target: Target | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="learning", daemon=True)

    def start(self) -> None:
        """Start the thread, which waits for targets."""
        self._thread.start()

    def set_target(self, samples: Sequence[TaughtDrawing], revision: int) -> None:
        """Learn these from now on; see OnlineLearner.set_target. The sequence must not change any more."""
        with self._changed:
            self._target = samples, revision
            self._changed.notify_all()

    def stop(self) -> None:
        """Finish the current sample, save a checkpoint if it is worthwhile, and end the thread."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        _lower_priority()
        try:
            while self._wait_for_work():
                target = self._take_target()
                if target is not None:
                    self._switch_to(*target)
                else:
                    self._learn_next()
            self._checkpoints.save_before_exit()
        except Exception as error:
            self._on_error(error)

    def _wait_for_work(self) -> bool:
        """Wait for something to do; return False if the worker is stopping."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or self._target is not None or self._learner.remaining > 0)
            return not self._is_stopping

    def _take_target(self) -> Target | None:
        with self._changed:
            target, self._target = self._target, None
            return target

    def _switch_to(self, samples: Sequence[TaughtDrawing], revision: int) -> None:
        if self._learner.set_target(samples, revision) is not None:
            self._checkpoints.record_rebuild()
        self._report_progress()

    def _learn_next(self) -> None:
        start = time.monotonic()
        learned = self._learner.learn_next(publish=start - self._published_at >= _PUBLISH_S)
        assert learned is not None
        now = time.monotonic()
        if learned.published:
            self._published_at = now
        self._report_progress()
        self._checkpoints.record_learned(now - start, learned.remaining)

    def _report_progress(self) -> None:
        learner = self._learner
        published = learner.published
        self._on_progress(
            {
                "target": learner.revision,
                "learned": learner.current.learned,
                "left": learner.remaining,
                "published": published.revision if learner.has_published else None,
                "labels": len(published.labels),
                "rebuilding": learner.is_rebuilding,
            }
        )


def _lower_priority() -> None:
    """Let this thread, and those that torch starts for it, yield to others: on Linux, priorities are per thread."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            nice = min(os.getpriority(os.PRIO_PROCESS, 0) + _NICER, _MAX_NICE)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
