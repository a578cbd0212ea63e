"""A learner's process that needs no torch: a label is the mean of its drawings. It talks as the real one does.

learning_rate: seconds that a sample takes, and going back. backbone_weights: what it is given instead of starting is
a refusal.
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
from haleganada_server.runtime.frames import read_frame, write_frame
from numpy.typing import NDArray

Samples = list[tuple[str, int, NDArray[np.float64]]]
REFUSAL = {"reason": "BACKBONE_MISSING", "message": "there are no such weights; give others"}


class StandIn:
    """published: revision and means of what was learned last as a whole."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._samples: Samples = []
        self._aims: queue.SimpleQueue[tuple[Samples, int]] = queue.SimpleQueue()
        self._learned: Samples = []
        self._published: tuple[int, dict[str, NDArray[np.float64]]] | None = None
        threading.Thread(target=self._learn, daemon=True).start()

    def say(self, facts: dict[str, Any], payload: bytes = b"") -> None:
        with self._lock:
            write_frame(sys.stdout.buffer, facts, payload)

    def hear(self, facts: dict[str, Any], payload: bytes) -> None:
        if "add" in facts:
            drawings = np.frombuffer(payload, np.uint8).reshape(-1, 4096).astype(np.float64)
            told = [
                (label, revision, drawing) for (_, label, revision), drawing in zip(facts["add"], drawings, strict=True)
            ]
            self._samples = self._samples[: facts["keep"]] + told
        elif "aim" in facts:
            self._aims.put((list(self._samples), facts["aim"]))
        elif "ask" in facts:
            self._answer(facts["ask"], np.frombuffer(payload, np.uint8).reshape(facts["count"], 4096))

    def _answer(self, number: int, drawings: NDArray[np.uint8]) -> None:
        revision, means = self._published or (0, {})
        distances = np.array([[np.abs(mean - drawing).mean() for mean in means.values()] for drawing in drawings])
        rows = np.exp(-distances / 10) if means else np.zeros((len(drawings), 0))
        rows = rows / rows.sum(1, keepdims=True) if means else rows
        self.say({"answer": number, "revision": revision, "labels": list(means)}, rows.astype(np.float64).tobytes())

    def _learn(self) -> None:
        rebuilding = False
        while True:
            samples, revision = self._aims.get()
            kept = samples[: len(self._learned)] == self._learned
            rebuilding = rebuilding or (not kept and bool(self._learned))
            hidden = rebuilding or self._published is None
            if rebuilding:
                time.sleep(self._config["learning_rate"])  # as reading a checkpoint would
            self._learned = self._learned if kept else []
            self._tell(samples, revision, rebuilding)
            while len(self._learned) < len(samples) and self._aims.empty():
                time.sleep(self._config["learning_rate"])
                self._learned = samples[: len(self._learned) + 1]
                if len(self._learned) == len(samples) or not hidden:
                    self._publish(self._learned[-1][1])
                self._tell(samples, revision, rebuilding and len(self._learned) < len(samples))
            if len(self._learned) == len(samples):
                self._publish(revision)
                rebuilding = False
            self._tell(samples, revision, rebuilding)

    def _publish(self, revision: int) -> None:
        labels = dict.fromkeys(label for label, _, _ in self._learned)
        means = {label: np.mean([d for other, _, d in self._learned if other == label], 0) for label in labels}
        self._published = (revision, means)

    def _tell(self, samples: Samples, aim: int, rebuilding: bool) -> None:
        revision, means = self._published or (None, {})
        left = len(samples) - len(self._learned)
        known = {"published": revision, "labels": len(means)}
        self.say({"aim": aim, "learned": len(self._learned), "left": left, "rebuilding": rebuilding, **known})


def main() -> None:
    first = read_frame(sys.stdin.buffer)
    assert first is not None
    folder = Path(first[0]["folder"])
    (folder / "pid").write_text(str(os.getpid()))
    if first[0]["backbone_weights"]:
        write_frame(sys.stdout.buffer, {"failed": REFUSAL})
        return
    stand_in = StandIn(first[0]["config"])
    stand_in.say({"ready": True, "labels": []})
    while (frame := read_frame(sys.stdin.buffer)) is not None and "leave" not in frame[0]:
        stand_in.hear(*frame)


if __name__ == "__main__":
    main()
