"""Shows the samples that are checked while a log is opened to the visitor that needs them."""

from __future__ import annotations

from itertools import compress

from haleganada_server.core.sample_log.ports import SampleVisitor
from haleganada_server.core.sample_log.rows import LogState, StaleSample

from .integrity.inspection import InspectedSamples
from .reader import EmbeddingBlocks

_BLOCK = 2048  # two megabytes of embeddings; small ones cost the head more


class SampleFeed:
    """Collects samples until there are enough for a block."""

    def __init__(self, visitor: SampleVisitor, name: str) -> None:
        """name: of the workspace."""
        self._visitor, self._blocks = visitor, EmbeddingBlocks(name)
        visitor.begin()
        self._sample_ids: list[int] = []
        self._labels: list[str] = []
        self._embeddings: list[bytes] = []

    def take(self, page: InspectedSamples) -> None:
        """Take the next samples. Raises DataLoss."""
        current = self._visitor.embedder_hash
        embedded = [
            by == current and not hidden for by, hidden in zip(page.embedder_hashes, page.forgotten, strict=True)
        ]
        self._sample_ids += compress(page.sample_ids, embedded)
        self._labels += compress(page.labels, embedded)
        self._embeddings += compress(page.embeddings, embedded)
        if not all(embedded):
            for sample_id, label, hidden, by, _ in zip(*page, strict=True):
                if by != current:
                    self._visitor.add_stale(StaleSample(sample_id, label, bool(hidden)))
        if len(self._sample_ids) >= _BLOCK:
            self._show()

    def finish(self, state: LogState) -> None:
        """Show what is left, and the state besides. Raises DataLoss."""
        if self._sample_ids:
            self._show()
        self._visitor.take_state(state)

    def _show(self) -> None:
        self._visitor.add(self._blocks.make(self._sample_ids, self._labels, self._embeddings))
        self._sample_ids, self._labels, self._embeddings = [], [], []
