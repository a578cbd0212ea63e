"""A workspace's knowledge while changes are carried out, without the log that they are written to."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.draft import HeadDraft
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants


class KnowledgeDraft:
    """The state after the changes so far. For one thread at a time."""

    def __init__(self, knowledge: Knowledge, head_parameters: HeadParameters, embedder_hash: str) -> None:
        """embedder_hash: of the current weights; only samples that they embedded are counted in the head."""
        self.head = HeadDraft(knowledge.head)
        self.variants: Variants = knowledge.variants
        self.revision = knowledge.revision
        self.samples_total = knowledge.samples_total
        self.stale: StaleSamples = knowledge.stale
        self.head_parameters = head_parameters
        self._class_ids = knowledge.class_ids
        self._new_class_ids: dict[str, int] = {}
        self._embedder_hash = embedder_hash

    def to_knowledge(self) -> Knowledge:
        """Return the state after the changes so far, to be published after the commit."""
        class_ids = {**self._class_ids, **self._new_class_ids} if self._new_class_ids else self._class_ids
        return Knowledge(
            revision=self.revision,
            head=self.head.freeze(),
            variants=self.variants,
            samples_total=self.samples_total,
            stale=self.stale,
            class_ids=class_ids,
        )

    def number_label(self, label: str) -> None:
        """Give a label that appears for the first time the next class_id."""
        if label not in self._class_ids:
            self._new_class_ids.setdefault(label, len(self._class_ids) + len(self._new_class_ids))

    def count_in(
        self,
        sample_id: int,
        label: str,
        embedding: NDArray[np.float32],
        embedder_hash: str,
        vector: NDArray[np.float64] | None = None,
    ) -> None:
        """Count a sample in. embedding: (d,), by the weights of this hash. vector: the projected embedding (k,), if the
        caller has it.
        """
        if embedder_hash == self._embedder_hash:
            self.head.teach(label, self._project(embedding) if vector is None else vector, self._find_row(label))
        else:
            self.stale = self.stale.with_sample(sample_id, label)
        self.samples_total += 1

    def count_out(self, sample_id: int, label: str, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        """Count a sample out; as count_in."""
        if embedder_hash == self._embedder_hash:
            self.head.forget(label, self._project(embedding))
        else:
            self.stale = self.stale.without_sample(sample_id, label)
        self.samples_total -= 1

    def _find_row(self, label: str) -> int | None:
        """Return where a label belongs among those of the head, which are in the order of their class_ids; None = at
        the end, as those that are taught for the first time.
        """
        number = self._number_of(label)
        if number is None or label in self.head:
            return None
        return bisect_left(self.head.labels, number, key=lambda other: self._number_of(other) or 0)

    def _number_of(self, label: str) -> int | None:
        return self._class_ids.get(label, self._new_class_ids.get(label))

    def _project(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        return self.head_parameters.projection.project_one(embedding)
