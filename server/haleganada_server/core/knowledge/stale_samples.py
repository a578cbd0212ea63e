"""Which samples a workspace's head lacks: those that other weights embedded and that are still to be embedded anew.

Vectors of different weights cannot be compared, so such a sample is taught, listed and counted, but not in the head.
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
    """Immutable. labels: how many live samples of each label the head lacks.

    damaged: sample_ids, forgotten ones included, whose drawings cannot be read, so that nothing will embed them.
    count: live samples that still are to be embedded; the damaged ones do not count.
    """

    labels: Mapping[str, int] = field(default_factory=lambda: _NONE)
    damaged: frozenset[int] = frozenset()
    count: int = 0

    @classmethod
    def of(cls, stale: Iterable[StaleSample]) -> StaleSamples:
        """At the start, when nothing is known to be damaged."""
        labels = Counter(sample.label for sample in stale if not sample.forgotten)
        return cls(MappingProxyType(labels), count=labels.total())

    def with_sample(self, sample_id: int, label: str) -> StaleSamples:
        """One more live sample."""
        return self._changed(sample_id, label, +1)

    def without_sample(self, sample_id: int, label: str) -> StaleSamples:
        """One fewer: it was embedded, or forgotten."""
        return self._changed(sample_id, label, -1)

    def with_damaged(self, sample_id: int) -> StaleSamples:
        """A sample that does not count here turns out to be damaged."""
        return replace(self, damaged=self.damaged | {sample_id})

    def labels_beyond(self, known: Container[str]) -> int:
        """How many labels have samples only here."""
        return sum(label not in known for label in self.labels)

    def _changed(self, sample_id: int, label: str, by: int) -> StaleSamples:
        labels = dict(self.labels)
        labels[label] = labels.get(label, 0) + by
        if labels[label] == 0:
            del labels[label]
        count = self.count if sample_id in self.damaged else self.count + by
        return replace(self, labels=MappingProxyType(labels), count=count)
