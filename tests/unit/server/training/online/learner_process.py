"""The process that learns, started and driven as the server does it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from haleganada_server.runtime.processes.frames import read_frame, write_frame
from haleganada_server.training.common.taught_drawing import TaughtDrawing

Fields = dict[str, Any]
CONFIG: Fields = {"replay": 4, "steps": 5, "learning_rate": 1e-3, "weight_decay": 0.01, "seed": 3}
TIMEOUT_S = 120.0


class LearnerProcess:
    """One process. `messages` holds all that it has sent but its replies."""

    def __init__(self, folder: Path, start: Fields, config: Fields = CONFIG, **options: Any) -> None:
        """options: for Popen."""
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
        self.messages: list[Fields] = []
        self._replies: dict[int, tuple[Fields, np.ndarray]] = {}
        self._change = threading.Condition()
        self._has_ended = False
        self._requests = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.send({"start": start, "config": config, "folder": str(folder), "backbone_weights": []})

    def send(self, fields: Fields, payload: bytes = b"") -> None:
        """Send a message."""
        assert self.process.stdin
        write_frame(self.process.stdin, fields, payload)

    def send_samples(self, samples: Sequence[TaughtDrawing], keep: int = 0) -> None:
        """Keep the first `keep` live samples, and append these."""
        add = [[sample.sample_id, sample.label, sample.revision] for sample in samples]
        self.send({"keep": keep, "add": add}, b"".join(sample.raster.tobytes() for sample in samples))

    def teach(self, samples: Sequence[TaughtDrawing], revision: int) -> None:
        """Make these all live samples of a revision."""
        self.send_samples(samples)
        self.send({"target": revision})

    def predict(self, rasters: np.ndarray) -> tuple[Fields, np.ndarray]:
        """Return its reply, and the probabilities: a row for each drawing."""
        self._requests += 1
        request_id = self._requests
        self.send({"predict": request_id, "count": len(rasters)}, rasters.tobytes())
        self._wait(lambda: request_id in self._replies)
        return self._replies.pop(request_id)

    def wait_for(self, condition: Callable[[Fields], bool]) -> Fields:
        """Return the first message, sent already or later, that meets a condition."""
        self._wait(lambda: any(condition(fields) for fields in self.messages))
        return next(fields for fields in self.messages if condition(fields))

    def wait_until_learned(self, revision: int) -> Fields:
        """Wait until its predictions include a revision and nothing remains to be learned."""
        return self.wait_for(lambda fields: fields.get("published") == revision and fields["left"] == 0)

    @property
    def progress(self) -> list[Fields]:
        """All messages about its learning."""
        return [fields for fields in self.messages if "left" in fields]

    def wait_for_end(self) -> tuple[int, str]:
        """Wait for its end; return the exit status, and what it wrote to standard error."""
        assert self.process.stderr and self.process.stdin
        errors = self.process.stderr.read().decode()
        status = self.process.wait(TIMEOUT_S)
        self._listener.join()
        return status, errors

    def kill(self) -> None:
        """Kill it, whatever its state."""
        self.process.kill()
        self.process.wait()
        self._listener.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe
            with suppress(OSError):  # it may hold bytes that nobody will read
                pipe.close()

    def _listen(self) -> None:
        assert self.process.stdout
        while (frame := read_frame(self.process.stdout)) is not None:
            fields, payload = frame
            with self._change:
                if "reply" in fields:
                    rows = np.frombuffer(payload, np.float64).reshape(-1, len(fields["labels"]) or 1)
                    self._replies[fields["reply"]] = fields, rows
                else:
                    self.messages.append(fields)
                self._change.notify_all()
        with self._change:
            self._has_ended = True
            self._change.notify_all()

    def _wait(self, until: Callable[[], bool]) -> None:
        with self._change:
            assert self._change.wait_for(lambda: self._has_ended or until(), TIMEOUT_S), self.messages[-3:]
            assert until(), self.messages[-3:]
