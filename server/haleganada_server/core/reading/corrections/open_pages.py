"""The pages that are being corrected, in memory: those that were used last, as many as a budget of bytes allows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from haleganada_server.core.baton import locked
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.ports import PresentText
from haleganada_server.core.reading.taught.label_order import LabelOrder

from .history import PageHistory

DEFAULT_BUDGET = 32 * 2**20
_OF_A_READING = 1_200  # bytes for each glyph of a page that was read, with its five candidates, measured


@dataclass(slots=True, eq=False)
class OpenPage:
    """A page, and how it was read last: by which knowledge, at which revision. others: by
    which order of labels. noted: what the store knows of it; None = not known. Only the holder of its lock looks.
    """

    history: PageHistory
    reading: PageReading | None = None
    knowledge: Knowledge | None = None
    others: LabelOrder | None = None
    noted: PresentText | None = None

    def is_up_to_date(self, knowledge: Knowledge, others: LabelOrder) -> bool:
        """Return whether reading it again with that knowledge and that order of labels would say the same."""
        return (
            self.reading is not None
            and self.knowledge is not None
            and self.reading.revision == self.history.revision
            and self.knowledge.revision == knowledge.revision
            and self.knowledge.head.basis is knowledge.head.basis
            and self.others is others
        )

    @property
    def memory_bytes(self) -> int:
        """About how many bytes of memory it takes."""
        glyphs = len(self.reading.glyphs) if self.reading else 0
        return self.history.memory_bytes + _OF_A_READING * glyphs


@dataclass(slots=True, eq=False)
class _Place:
    """Where a page is, or will be. users: how many hold the lock, or wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    page: OpenPage | None = None
    users: int = 0
    size: int = 0


class OpenPages:
    """Safe from any thread. Who uses a page has it alone."""

    def __init__(self, budget: int = DEFAULT_BUDGET) -> None:
        """budget: bytes; more are only while that many are in use."""
        self._budget = budget
        self._places: OrderedDict[tuple[str, int], _Place] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def use(
        self,
        reading_id: str,
        page: int,
        load: Callable[[], PageHistory],
        is_current: Callable[[PageHistory], bool] = lambda _history: True,
    ) -> Iterator[OpenPage]:
        """A context whose block has a page alone, loaded if need be. is_current: returns whether it is as it was
        loaded. If the block raises, the page is loaded again the next time. Raises what load and is_current raise.
        """
        key = reading_id, page
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
            place.users += 1
        try:
            with locked(place.lock):
                try:
                    if place.page is not None and not is_current(place.page.history):
                        place.page = None
                    place.page = place.page or OpenPage(load())
                    yield place.page
                    place.size = place.page.memory_bytes
                except BaseException:
                    place.page, place.size = None, 0
                    raise
        finally:
            with self._lock:
                place.users -= 1
                self._trim()

    def forget(self, reading_id: str) -> None:
        """Forget the pages of a reading that was deleted."""
        with self._lock:
            for key in [key for key in self._places if key[0] == reading_id]:
                del self._places[key]

    def _trim(self) -> None:
        total = sum(place.size for place in self._places.values())
        for key, place in list(self._places.items()):
            if not place.users and (total > self._budget or place.page is None):
                total -= place.size
                del self._places[key]
