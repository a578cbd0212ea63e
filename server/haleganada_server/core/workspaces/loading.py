"""Gathers a workspace's knowledge from the samples of its log, while the log is opened."""

from __future__ import annotations

from types import MappingProxyType

from haleganada_server.core.fewshot.builder import HeadBuilder
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.sample_log.rows import EmbeddedSamples, LogState, StaleSample


class KnowledgeLoader:
    """core.sample_log.ports.SampleVisitor, which makes the Knowledge of the samples that it saw."""

    def __init__(self, embedder_hash: str, head_parameters: HeadParameters) -> None:
        """embedder_hash: of the current weights."""
        self._embedder_hash, self._projection = embedder_hash, head_parameters.projection
        self.begin()

    @property
    def embedder_hash(self) -> str:
        return self._embedder_hash

    def begin(self) -> None:
        """See SampleVisitor."""
        self._builder = HeadBuilder(self._projection.between)
        self.stale: list[StaleSample] = []
        """The stale samples so far."""
        self._state = LogState(0, 0, {}, {})

    def add(self, block: EmbeddedSamples) -> None:
        """See SampleVisitor."""
        self._builder.add(block.labels, self._projection.project(block.embeddings))

    def add_stale(self, sample: StaleSample) -> None:
        """See SampleVisitor."""
        self.stale.append(sample)

    def take_state(self, state: LogState) -> None:
        """See SampleVisitor."""
        self._state = state

    def finish(self) -> Knowledge:
        """Return the knowledge of the log that was visited."""
        return Knowledge(
            revision=self._state.revision,
            head=self._builder.finish(self._state.class_ids),
            variants=Variants(MappingProxyType(self._state.links)),
            samples_total=self._state.samples_total,
            stale=StaleSamples.from_rows(self.stale),
            class_ids=self._state.class_ids,
        )
