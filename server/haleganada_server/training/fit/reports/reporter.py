"""What a training reports while it runs: its settings, stages, steps with the time left, epochs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from haleganada_server.core.jobs.job import Epoch, Progress

_SECONDS_BETWEEN_STEPS = 0.5


class TrainingReporter:
    """Sends settings, progress and epochs as lines of the job's protocol."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._message = ""
        self._first_step = self._total = 0
        self._started_at = self._sent_at = time.monotonic()

    def send_settings(self, settings: Mapping[str, Any]) -> None:
        """Report the settings that are used, before training begins. settings: all, by their names in the contract."""
        self._send({"settings": dict(settings)})

    def start_stage(self, name: str) -> None:
        """Report a new stage, whose number of steps is not known."""
        self._message = ""
        self._send_progress(Progress(name))

    def add_note(self, sentence: str) -> None:
        """Add a sentence to all further reports of this stage."""
        self._message = f"{self._message}; {sentence}" if self._message else sentence

    def start_steps(self, done: int, total: int) -> None:
        """Report the stage of training, of `total` steps, `done` of which are over."""
        self._first_step, self._total = done, total
        self._started_at, self._sent_at = time.monotonic(), 0.0
        self._send_progress(Progress("training", done, total, message=self._message))

    def report_step(self, done: int) -> None:
        """Report that `done` steps are over, at most twice a second."""
        now = time.monotonic()
        if now - self._sent_at < _SECONDS_BETWEEN_STEPS and done < self._total:
            return
        self._sent_at = now
        left = (now - self._started_at) / max(1, done - self._first_step) * (self._total - done)
        self._send_progress(Progress("training", done, self._total, left, self._message))

    def send_epoch(self, epoch: Epoch) -> None:
        """Report an epoch that is over."""
        self._send({"epoch": asdict(epoch)})

    def _send_progress(self, progress: Progress) -> None:
        self._send({"progress": asdict(progress)})
