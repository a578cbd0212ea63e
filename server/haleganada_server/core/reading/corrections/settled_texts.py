"""What people have settled on the pages of each workspace: of that, a page learns how labels follow each other."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.reading.ports import PresentText, ReadingStore
from haleganada_server.core.reading.taught.label_order import LabelOrder, Run

PageKey = tuple[str, int]
"""A reading and a page of it."""


@dataclass(slots=True)
class _Texts:
    """runs: of each page. orders: learned from those of all pages but one, until another page changes."""

    runs: dict[PageKey, tuple[Run, ...]]
    orders: dict[PageKey, tuple[Variants, LabelOrder]] = field(default_factory=dict)

    def note(self, key: PageKey, runs: tuple[Run, ...]) -> None:
        if self.runs.get(key, ()) != runs:
            self.runs[key] = runs
            self.orders = {other: order for other, order in self.orders.items() if other == key}


class SettledTexts:
    """Safe from any thread."""

    def __init__(self, store: ReadingStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._workspaces: dict[str, _Texts] = {}
        store.tell_noted(self._hear)

    def order_of_others(self, workspace: str, reading_id: str, page: int, variants: Variants) -> LabelOrder:
        """Return how labels follow each other on all pages of a workspace but one; forms count as their labels. It is
        the same object until one of these pages changes.
        """
        key = reading_id, page
        with self._lock:
            texts = self._load(workspace)
            kept = texts.orders.get(key)
            if kept is None or kept[0] is not variants:
                others = (run for other, runs in texts.runs.items() if other != key for run in runs)
                order = LabelOrder(tuple(map(variants.canonical, run)) for run in others)
                kept = texts.orders[key] = variants, order
            return kept[1]

    def note(self, workspace: str, reading_id: str, page: int, runs: tuple[Run, ...]) -> None:
        """Go on with what is settled on a page now."""
        with self._lock:
            self._load(workspace).note((reading_id, page), runs)

    def _hear(self, workspace: str, reading_id: str, page: int, text: PresentText) -> None:
        """Go on with what another server says of a page. Of a workspace that is not loaded, that is read when it is."""
        with self._lock:
            if (texts := self._workspaces.get(workspace)) is not None:
                texts.note((reading_id, page), text.runs)

    def forget(self, reading_id: str) -> None:
        """Forget a reading that was deleted."""
        with self._lock:
            for texts in self._workspaces.values():
                gone = [key for key in texts.runs if key[0] == reading_id]
                for key in gone:
                    del texts.runs[key]
                if gone:
                    texts.orders.clear()

    def _load(self, workspace: str) -> _Texts:
        if workspace not in self._workspaces:
            noted = self._store.present_texts(workspace)
            self._workspaces[workspace] = _Texts({(one, page): text.runs for one, page, text in noted})
        return self._workspaces[workspace]
