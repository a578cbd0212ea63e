"""A memory of the newest predictions, so that a correction need not send the drawing again."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass

from haleganada_server.core.glyphs.encoder import Drawing

CAPACITY = 2048  # about 35 MB with rasters and embeddings


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """A predicted drawing, the first guess ("" = unknown) and the revision that guessed."""

    drawing: Drawing
    predicted: str
    revision: int


class PredictionMemory:
    """The last CAPACITY predictions of a workspace. Safe from any thread; gone with the process."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, Remembered] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, remembered: Remembered) -> str:
        """Keep a prediction; its new id."""
        prediction_id = uuid.uuid4().hex
        with self._lock:
            self._entries[prediction_id] = remembered
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
        return prediction_id

    def get(self, prediction_id: str) -> Remembered | None:
        """The prediction, None if it is not known or no longer remembered."""
        with self._lock:
            return self._entries.get(prediction_id)
