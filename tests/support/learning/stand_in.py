"""A stand-in for a learner's process that needs no torch: a label is the mean of its drawings.

learning_rate: seconds that a sample takes, and the start of a rebuild. With backbone_weights it refuses to start.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from haleganada_server.runtime.processes.frames import read_frame, write_frame
from numpy.typing import NDArray

Samples = list[tuple[str, int, NDArray[np.float64]]]
REFUSAL = {"reason": "BACKBONE_WEIGHTS_MISSING", "message": "there are no such weights; give others"}


class StandIn:
    """_published: revision and means of the last consistent state."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._samples: Samples = []
        self._targets: queue.SimpleQueue[tuple[Samples, int]] = queue.SimpleQueue()
        self._learned: Samples = []
        self._published: tuple[int, dict[str, NDArray[np.float64]]] | None = None
        threading.Thread(target=self._learn, daemon=True).start()

    def send(self, fields: dict[str, Any], payload: bytes = b"") -> None:
        with self._lock:
            write_frame(sys.stdout.buffer, fields, payload)

    def handle(self, fields: dict[str, Any], payload: bytes) -> None:
        if "add" in fields:
            drawings = np.frombuffer(payload, np.uint8).reshape(-1, 4096).astype(np.float64)
            added = [
                (label, revision, drawing)
                for (_, label, revision), drawing in zip(fields["add"], drawings, strict=True)
            ]
            self._samples = self._samples[: fields["keep"]] + added
        elif "target" in fields:
            self._targets.put((list(self._samples), fields["target"]))
        elif "predict" in fields:
            self._predict(fields["predict"], np.frombuffer(payload, np.uint8).reshape(fields["count"], 4096))

    def _predict(self, request_id: int, drawings: NDArray[np.uint8]) -> None:
        revision, means = self._published or (0, {})
        distances = np.array([[np.abs(mean - drawing).mean() for mean in means.values()] for drawing in drawings])
        rows = np.exp(-distances / 10) if means else np.zeros((len(drawings), 0))
        rows = rows / rows.sum(1, keepdims=True) if means else rows
        self.send({"reply": request_id, "revision": revision, "labels": list(means)}, rows.astype(np.float64).tobytes())

    def _learn(self) -> None:
        rebuilding = False
        while True:
            samples, revision = self._targets.get()
            kept = samples[: len(self._learned)] == self._learned
            rebuilding = rebuilding or (not kept and bool(self._learned))
            hidden = rebuilding or self._published is None
            if rebuilding:
                time.sleep(self._config["learning_rate"])  # as loading a checkpoint would
            self._learned = self._learned if kept else []
            self._send_progress(samples, revision, rebuilding)
            while len(self._learned) < len(samples) and self._targets.empty():
                time.sleep(self._config["learning_rate"])
                self._learned = samples[: len(self._learned) + 1]
                if len(self._learned) == len(samples) or not hidden:
                    self._publish(self._learned[-1][1])
                self._send_progress(samples, revision, rebuilding and len(self._learned) < len(samples))
            if len(self._learned) == len(samples):
                self._publish(revision)
                rebuilding = False
            self._send_progress(samples, revision, rebuilding)

    def _publish(self, revision: int) -> None:
        labels = dict.fromkeys(label for label, _, _ in self._learned)
        means = {label: np.mean([d for other, _, d in self._learned if other == label], 0) for label in labels}
        self._published = (revision, means)

    def _send_progress(self, samples: Samples, target: int, rebuilding: bool) -> None:
        revision, means = self._published or (None, {})
        left = len(samples) - len(self._learned)
        known = {"published": revision, "labels": len(means)}
        self.send({"target": target, "learned": len(self._learned), "left": left, "rebuilding": rebuilding, **known})


def main() -> None:
    first = read_frame(sys.stdin.buffer)
    assert first is not None
    folder = Path(first[0]["folder"])
    (folder / "pid").write_text(str(os.getpid()))
    if first[0]["backbone_weights"]:
        write_frame(sys.stdout.buffer, {"failed": REFUSAL})
        return
    stand_in = StandIn(first[0]["config"])
    stand_in.send({"ready": True, "labels": []})
    while (message := read_frame(sys.stdin.buffer)) is not None and "stop" not in message[0]:
        stand_in.handle(*message)


if __name__ == "__main__":
    main()
