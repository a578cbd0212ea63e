"""Stale samples: those that other weights embedded and that are still to be embedded by the current ones.

Embeddings of different weights cannot be compared. A stale sample is therefore taught, listed and counted, but not in
the head.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from haleganada_server.core.sample_log.rows import StaleSample

_NONE: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StaleSamples:
    """The stale samples of a workspace; immutable. labels: number of live ones by label.

    damaged: sample_ids, forgotten ones included, whose drawings cannot be decoded, so that they stay stale. count: live
    samples that are still to be embedded, damaged ones not included.
    """

    labels: Mapping[str, int] = field(default_factory=lambda: _NONE)
    damaged: frozenset[int] = frozenset()
    count: int = 0

    @classmethod
    def from_rows(cls, stale: Iterable[StaleSample]) -> StaleSamples:
        """Count the rows of a log that was just opened; none is known to be damaged yet."""
        labels = Counter(sample.label for sample in stale if not sample.forgotten)
        return cls(MappingProxyType(labels), count=labels.total())

    def with_sample(self, sample_id: int, label: str) -> StaleSamples:
        """Return these and one more live sample."""
        return self._adjust(sample_id, label, +1)

    def without_sample(self, sample_id: int, label: str) -> StaleSamples:
        """Return these without a live sample that was embedded or forgotten."""
        return self._adjust(sample_id, label, -1)

    def with_damaged(self, sample_id: int) -> StaleSamples:
        """Return these with a sample marked as damaged, which must not be counted at the moment."""
        return replace(self, damaged=self.damaged | {sample_id})

    def count_other_labels(self, known: Container[str]) -> int:
        """Return how many labels have live samples here but are not among the known ones."""
        return sum(label not in known for label in self.labels)

    def _adjust(self, sample_id: int, label: str, by: int) -> StaleSamples:
        labels = dict(self.labels)
        labels[label] = labels.get(label, 0) + by
        if labels[label] == 0:
            del labels[label]
        count = self.count if sample_id in self.damaged else self.count + by
        return replace(self, labels=MappingProxyType(labels), count=count)
