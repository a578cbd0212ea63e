"""A few models in memory: each is loaded on first use, and the least recently used one is evicted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from haleganada_server.core.baton import without_baton

from .classification import Predictor

CAPACITY = 4


class ModelCache:
    """Predictors by model_id. Safe from any thread; loading one blocks only the callers that want it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, Future[Predictor]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, model_id: str, load: Callable[[], Predictor]) -> Predictor:
        """Return the cached predictor, or load() it. Raises what load raises; the next call tries again."""
        with self._lock:
            entry = self._entries.get(model_id)
            missing = entry is None
            if entry is None:
                entry = self._entries[model_id] = Future()
            self._entries.move_to_end(model_id)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
        if missing:
            self._fill(model_id, entry, load)
        with without_baton():
            return entry.result()

    def drop(self, model_id: str) -> None:
        """Forget a deleted model. Calls that already have its predictor finish with it."""
        with self._lock:
            self._entries.pop(model_id, None)

    def _fill(self, model_id: str, entry: Future[Predictor], load: Callable[[], Predictor]) -> None:
        try:
            entry.set_result(load())
        except BaseException as error:
            with self._lock:
                if self._entries.get(model_id) is entry:
                    del self._entries[model_id]
            entry.set_exception(error)
