"""What a training tells while it runs: its settings, stages, steps with the time that is left, epochs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from haleganada_server.core.jobs.job import Epoch, Progress

_SECONDS_BETWEEN = 0.5
"""Between two reports of steps."""


class FitReport:
    """Sends settings, progress and epochs as lines of the job's protocol."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._message = ""
        self._first = self._total = 0
        self._start = self._sent = time.monotonic()

    def settings(self, settings: Mapping[str, Any]) -> None:
        """How the training goes, before it begins. settings: all, by their names in the contract."""
        self._send({"settings": dict(settings)})

    def stage(self, name: str) -> None:
        """A new stage, whose steps are not known."""
        self._message = ""
        self._progress(Progress(name))

    def note(self, sentence: str) -> None:
        """Something to know about this stage; it stays with all that is told of the stage."""
        self._message = f"{self._message}; {sentence}" if self._message else sentence

    def begin(self, done: int, total: int) -> None:
        """The stage of training, of `total` steps, `done` of which are over."""
        self._first, self._total = done, total
        self._start, self._sent = time.monotonic(), 0.0
        self._progress(Progress("training", done, total, message=self._message))

    def stepped(self, done: int) -> None:
        """Another step is over; it is told twice a second."""
        now = time.monotonic()
        if now - self._sent < _SECONDS_BETWEEN and done < self._total:
            return
        self._sent = now
        left = (now - self._start) / max(1, done - self._first) * (self._total - done)
        self._progress(Progress("training", done, self._total, left, self._message))

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is over."""
        self._send({"epoch": asdict(epoch)})

    def _progress(self, progress: Progress) -> None:
        self._send({"progress": asdict(progress)})
