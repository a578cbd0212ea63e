"""The newest predictions, kept in memory so that a correction need not send the drawing again."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from haleganada_server.core.glyphs.encoder import Drawing

_OVERHEAD = 1500  # bytes of an entry besides its arrays, measured
_NUMBER = 32  # bytes of a float in a tuple
_ID_BYTES = 16
DEFAULT_BUDGET = 32 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class RememberedPrediction:
    """A predicted drawing, its first candidate ("" = unknown), and the revision that predicted it."""

    drawing: Drawing
    predicted: str
    revision: int


class OtherMemories(Protocol):
    """The predictions that other servers remember. Safe from any thread."""

    def answer(self, find: Callable[[str, str], RememberedPrediction | None]) -> None:
        """From now on, answer other servers. find: returns what this one remembers of a workspace's prediction, with
        the drawing in its stored form.
        """

    def ask(self, workspace: str, prediction_id: str) -> RememberedPrediction | None:
        """Return a workspace's prediction that another server remembers; None if none says so within a second. Raises
        Unavailable.
        """


class PredictionMemory:
    """The last predictions of all workspaces, as many as a budget of bytes allows; lost when the process ends. Safe
    from any thread.
    """

    def __init__(self, budget: int = DEFAULT_BUDGET) -> None:
        """budget: bytes, of which about 18,000 go to a drawing sent as a picture, and about 5,000 to one of strokes."""
        self._budget = budget
        self._entries: OrderedDict[str, tuple[str, RememberedPrediction, int]] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def add(self, workspace: str, remembered: RememberedPrediction) -> str:
        """Keep a workspace's prediction and return its new id."""
        prediction_id, size = secrets.token_hex(_ID_BYTES), _measure(remembered.drawing)
        with self._lock:
            self._entries[prediction_id] = workspace, remembered, size
            self._total += size
            while self._total > self._budget and len(self._entries) > 1:
                self._total -= self._entries.popitem(last=False)[1][2]
        return prediction_id

    def find(self, workspace: str, prediction_id: str) -> RememberedPrediction | None:
        """Return a workspace's prediction; None if it is unknown there or no longer remembered."""
        with self._lock:
            entry = self._entries.get(prediction_id)
        return entry[1] if entry is not None and entry[0] == workspace else None

    def forget(self, workspace: str) -> None:
        """Forget the predictions of a deleted workspace, so that they do not become those of a new one of its name."""
        with self._lock:
            kept = [(key, entry) for key, entry in self._entries.items() if entry[0] != workspace]
            self._entries = OrderedDict(kept)
            self._total = sum(size for _, _, size in self._entries.values())


def _measure(drawing: Drawing) -> int:
    """Return about how many bytes a drawing takes."""
    source = drawing.source
    if isinstance(source, np.ndarray):
        size = source.nbytes
    elif isinstance(source, tuple):
        size = len(source[1])
    else:
        numbers = (len(values) for s in source.strokes for values in (s.x, s.y, s.t, s.pressure))
        size = sum(numbers) * _NUMBER
    return _OVERHEAD + drawing.embedding.nbytes + size
