"""A workspace's state while a group of changes is being written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import NotFound
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.sample_log.ports import LogTransaction
from haleganada_server.core.sample_log.rows import LABELING, Event, SampleRow
from haleganada_server.core.shares.quotas import WorkspaceQuotas, WorkspaceUse

from .knowledge_draft import KnowledgeDraft

_ROW_BYTES = 2_000  # of a sample and its event on disk, beside the drawing


class Draft(KnowledgeDraft):
    """The open transaction, and the state after the changes so far. For one thread at a time."""

    def __init__(
        self,
        knowledge: Knowledge,
        transaction: LogTransaction,
        head_parameters: HeadParameters,
        embedder_hash: str,
        quotas: WorkspaceQuotas,
        measure_size: Callable[[], int],
    ) -> None:
        """knowledge: at the transaction's revision. embedder_hash: see KnowledgeDraft. measure_size: returns the bytes
        that the log takes on disk.
        """
        super().__init__(knowledge, head_parameters, embedder_hash)
        self.log = transaction
        self._quotas, self._measure_size = quotas, measure_size
        self._size: int | None = None  # measured before the first change that needs to know, then counted

    @property
    def labels_known(self) -> int:
        """Number of labels with a live sample."""
        return len(self.head) + self.stale.count_other_labels(self.head)

    def has_label(self, label: str) -> bool:
        """Return whether a label has a live sample."""
        return label in self.head or label in self.stale.labels

    def require_room(self, labels: Iterable[str], samples: int = 0, drawings_size: int = 0, freed: int = 0) -> None:
        """Raise QuotaExceeded unless the workspace may have so many more samples, of these labels. drawings_size: their
        bytes as they are stored. freed: samples that are gone before.
        """
        if self._quotas.is_unlimited:
            return
        if self._size is None:
            self._size = self._measure_size() if self._quotas.size is not None else 0
        labels_more = sum(not self.has_label(label) for label in set(labels))
        more = WorkspaceUse(samples, labels_more, drawings_size + samples * _ROW_BYTES)
        self._quotas.require(WorkspaceUse(self.samples_total - freed, self.labels_known, self._size), more)
        self._size += more.size

    def add(self, sample: SampleRow, vector: NDArray[np.float64] | None = None) -> None:
        """Count a sample in. vector: its projected embedding (k,), if the caller has it."""
        self.count_in(sample.sample_id, sample.label, sample.embedding, sample.embedder_hash, vector)

    def remove(self, sample: SampleRow) -> None:
        """Count a sample out."""
        self.count_out(sample.sample_id, sample.label, sample.embedding, sample.embedder_hash)

    def update_embedding(self, sample_id: int, embedding: NDArray[np.float32] | None) -> None:
        """Replace a stale embedding by one of the current weights, (d,); None: the sample's drawing is damaged.

        The sample is taken as it is now: with its current label, and hidden if it was forgotten meanwhile.
        """
        live = self.log.sample(sample_id)
        sample = live or self.log.sample(sample_id, forgotten=True)
        if sample is None or sample.embedder_hash == self._embedder_hash:
            return
        if live is not None:
            self.remove(live)
        if embedding is None:
            self.stale = self.stale.with_damaged(sample_id)
        else:
            sample = replace(sample, embedding=embedding, embedder_hash=self._embedder_hash)
            self.log.set_embedding(sample_id, embedding, self._embedder_hash)
        if live is not None:
            self.add(sample)

    def link(self, form: str, canonical: str) -> None:
        """Let a form stand for a canonical label; "" = for itself."""
        self.log.set_canonical(form, canonical)
        self.variants = self.variants.with_link(form, canonical)

    def append(self, event: Event) -> int:
        """Write an event and return its revision. A label that appears for the first time gets the next class_id."""
        if event.kind in LABELING:
            self.number_label(event.label)
        self.revision = self.log.append(event)
        return self.revision

    def require_sample(self, sample_id: int) -> SampleRow:
        """Return a live sample. Raises NotFound."""
        sample = self.log.sample(sample_id)
        if sample is None:
            raise NotFound("sample", str(sample_id), "it may have been forgotten; list the samples again")
        return sample
