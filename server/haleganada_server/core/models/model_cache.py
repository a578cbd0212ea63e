"""The few models that are kept in memory: loaded when they are first asked, the one unused for longest leaves first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from .classification import Recogniser

CAPACITY = 4


class LoadedModels:
    """Recognisers by model_id. Safe from any thread; one that is being loaded keeps only those waiting that want it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, Future[Recogniser]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, model_id: str, load: Callable[[], Recogniser]) -> Recogniser:
        """The recogniser, made by load() if it is not there. Raises what load raises; the next call tries again."""
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
        return entry.result()

    def drop(self, model_id: str) -> None:
        """Forget a model that is deleted. Calls that have it already finish with it."""
        with self._lock:
            self._entries.pop(model_id, None)

    def _fill(self, model_id: str, entry: Future[Recogniser], load: Callable[[], Recogniser]) -> None:
        try:
            entry.set_result(load())
        except BaseException as error:
            with self._lock:
                if self._entries.get(model_id) is entry:
                    del self._entries[model_id]
            entry.set_exception(error)
