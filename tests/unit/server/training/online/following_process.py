"""The process that learns, started as the server starts it, and what the server says to it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from haleganada_server.runtime.frames import read_frame, write_frame
from haleganada_server.training.common.taught_drawing import TaughtDrawing

Facts = dict[str, Any]
CONFIG: Facts = {"replay": 4, "steps": 5, "learning_rate": 1e-3, "weight_decay": 0.01, "seed": 3}
PATIENCE_S = 120.0


class FollowingProcess:
    """One process. `facts` holds all that it has said but its answers."""

    def __init__(self, folder: Path, start: Facts, config: Facts = CONFIG, **options: Any) -> None:
        """options: of Popen."""
        folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "haleganada_server.training.online"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", **options.pop("env", {})},
            **options,
        )
        self.facts: list[Facts] = []
        self._answers: dict[int, tuple[Facts, np.ndarray]] = {}
        self._change = threading.Condition()
        self._over = False
        self._questions = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.say({"start": start, "config": config, "folder": str(folder), "backbone_weights": None})

    def say(self, facts: Facts, payload: bytes = b"") -> None:
        """Send a frame."""
        assert self.process.stdin
        write_frame(self.process.stdin, facts, payload)

    def tell(self, samples: Sequence[TaughtDrawing], keep: int = 0) -> None:
        """The first `keep` live samples stay, these follow."""
        add = [[sample.sample_id, sample.label, sample.revision] for sample in samples]
        self.say({"keep": keep, "add": add}, b"".join(sample.raster.tobytes() for sample in samples))

    def teach(self, samples: Sequence[TaughtDrawing], revision: int) -> None:
        """These are all live samples at this revision."""
        self.tell(samples)
        self.say({"aim": revision})

    def ask(self, rasters: np.ndarray) -> tuple[Facts, np.ndarray]:
        """Its answer, and the probabilities: a row for each drawing."""
        self._questions += 1
        number = self._questions
        self.say({"ask": number, "count": len(rasters)}, rasters.tobytes())
        self._wait(lambda: number in self._answers)
        return self._answers.pop(number)

    def until(self, true_of: Callable[[Facts], bool]) -> Facts:
        """The first thing it said, or is to say, of which that is true."""
        self._wait(lambda: any(true_of(facts) for facts in self.facts))
        return next(facts for facts in self.facts if true_of(facts))

    def learned(self, revision: int) -> Facts:
        """Wait until its answers know a revision and nothing is left."""
        return self.until(lambda facts: facts.get("published") == revision and facts["left"] == 0)

    @property
    def progress(self) -> list[Facts]:
        """All that it has said of its learning."""
        return [facts for facts in self.facts if "left" in facts]

    def end(self) -> tuple[int, str]:
        """Wait for its end: exit status, and what it wrote to standard error."""
        assert self.process.stderr and self.process.stdin
        errors = self.process.stderr.read().decode()
        status = self.process.wait(PATIENCE_S)
        self._listener.join()
        return status, errors

    def kill(self) -> None:
        """End it, however it is."""
        self.process.kill()
        self.process.wait()
        self._listener.join()

    def _listen(self) -> None:
        assert self.process.stdout
        while (frame := read_frame(self.process.stdout)) is not None:
            facts, payload = frame
            with self._change:
                if "answer" in facts:
                    rows = np.frombuffer(payload, np.float64).reshape(-1, len(facts["labels"]) or 1)
                    self._answers[facts["answer"]] = facts, rows
                else:
                    self.facts.append(facts)
                self._change.notify_all()
        with self._change:
            self._over = True
            self._change.notify_all()

    def _wait(self, until: Callable[[], bool]) -> None:
        with self._change:
            assert self._change.wait_for(lambda: self._over or until(), PATIENCE_S), self.facts[-3:]
            assert until(), self.facts[-3:]
