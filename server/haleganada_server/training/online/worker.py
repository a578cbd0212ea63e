"""Learning in a thread of its own, which steps back behind whoever answers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from haleganada_server.training.common.taught_drawing import TaughtDrawing

from .learner import OnlineLearner
from .saving import Saving

_NICER = 10  # than the thread that answers
_LOWEST = 19
_PUBLISH_S = 0.25
"""Between two publications while there is more to learn: a copy of cnn36 takes 6 ms, of the transformer 18 ms, which
is up to a fifth of learning without replay, and a hundredth with it.
"""

Aim = tuple[Sequence[TaughtDrawing], int]


class Worker:
    """Learns what it is aimed at, always the newest aim. begin() it once, leave() it once."""

    def __init__(
        self, learner: OnlineLearner, told: Callable[[dict[str, Any]], None], failed: Callable[[Exception], None]
    ) -> None:
        """told: gets where learning stands, after each sample and each aim. failed: gets what ended it. Both are called
        in its thread.
        """
        self._learner, self._told, self._failed = learner, told, failed
        self._saving = Saving(learner.save)
        self._published_at = 0.0
        self._change = threading.Condition()  # guards the two that follow
        self._aim: Aim | None = None
        self._leaving = False
        self._thread = threading.Thread(target=self._work, name="learning", daemon=True)

    def begin(self) -> None:
        """Wait for aims."""
        self._thread.start()

    def aim(self, samples: Sequence[TaughtDrawing], revision: int) -> None:
        """From now on learn these, as OnlineLearner.aim says; the sequence must not change any more."""
        with self._change:
            self._aim = samples, revision
            self._change.notify_all()

    def leave(self) -> None:
        """Finish the sample that is being learned, save what is worth saving, and end."""
        with self._change:
            self._leaving = True
            self._change.notify_all()
        self._thread.join()

    def _work(self) -> None:
        _step_back()
        try:
            while not self._idle():
                aim = self._newest_aim()
                if aim is not None:
                    self._turn_to(*aim)
                else:
                    self._learn()
            self._saving.leave()
        except Exception as error:
            self._failed(error)

    def _idle(self) -> bool:
        """Wait for something to do; True if there will be nothing more."""
        with self._change:
            self._change.wait_for(lambda: self._leaving or self._aim is not None or self._learner.left > 0)
            return self._leaving

    def _newest_aim(self) -> Aim | None:
        with self._change:
            aim, self._aim = self._aim, None
            return aim

    def _turn_to(self, samples: Sequence[TaughtDrawing], revision: int) -> None:
        if self._learner.aim(samples, revision) is not None:
            self._saving.went_back()
        self._tell()

    def _learn(self) -> None:
        began = time.monotonic()
        learned = self._learner.advance(publish=began - self._published_at >= _PUBLISH_S)
        assert learned is not None
        now = time.monotonic()
        if learned.published:
            self._published_at = now
        self._tell()
        self._saving.learned(now - began, learned.left)

    def _tell(self) -> None:
        learner = self._learner
        published = learner.published
        self._told(
            {
                "aim": learner.revision,
                "learned": learner.current.learned,
                "left": learner.left,
                "published": published.revision if learner.follows else None,
                "labels": len(published.labels),
                "rebuilding": learner.rebuilding,
            }
        )


def _step_back() -> None:
    """Let this thread, and those that torch starts for it, wait while others want the processor. On Linux, where a
    priority is a thread's own.
    """
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            nice = min(os.getpriority(os.PRIO_PROCESS, 0) + _NICER, _LOWEST)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
