"""The newest predictions, kept in memory so that a correction need not send the drawing again."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass

from haleganada_server.core.glyphs.encoder import Drawing

CAPACITY = 2048  # about 35 MB with rasters and embeddings


@dataclass(frozen=True, slots=True, eq=False)
class RememberedPrediction:
    """A predicted drawing, its first candidate ("" = unknown), and the revision that predicted it."""

    drawing: Drawing
    predicted: str
    revision: int


class PredictionMemory:
    """The last CAPACITY predictions of a workspace; lost when the process ends. Safe from any thread."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, RememberedPrediction] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, remembered: RememberedPrediction) -> str:
        """Keep a prediction and return its new id."""
        prediction_id = uuid.uuid4().hex
        with self._lock:
            self._entries[prediction_id] = remembered
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
        return prediction_id

    def get(self, prediction_id: str) -> RememberedPrediction | None:
        """Return a prediction; None if it is unknown or no longer remembered."""
        with self._lock:
            return self._entries.get(prediction_id)
