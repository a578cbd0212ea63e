"""One workspace's durable log, as a port: a second storage engine is a second implementation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .rows import Event, LiveSample, SampleFacts, SampleRow, StaleSample


class LogTransaction(Protocol):
    """Changes that reach the disk together or not at all. Sees its own changes."""

    def answered(self, request_id: str) -> Event | None:
        """The event that carries this request_id."""

    def append(self, event: Event) -> int:
        """Add an event; its revision (the last one + 1, unless event.revision is set and greater)."""

    def add_sample(self, sample: SampleRow) -> None:
        """Add a live sample."""

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        """A live sample, or with forgotten=True one that was forgotten; None if there is none such."""

    def next_sample_id(self) -> int:
        """Greater than all sample_ids ever used in this log."""

    def set_label(self, sample_id: int, label: str) -> None:
        """Relabel a sample."""

    def set_forgotten(self, sample_id: int, forgotten: bool) -> None:
        """Take a sample out of the live ones, or back in. Its row stays in the log, so that undo is exact."""

    def set_canonical(self, form: str, canonical: str) -> None:
        """Link a form; "" removes its link."""

    def set_embedding(self, sample_id: int, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        """Replace a sample's embedding (d,) after the embedder changed."""

    def last_change(self) -> Event | None:
        """The newest undoable event that is not undone."""

    def mark_undone(self, revision: int, by: int) -> None:
        """Note that revision was taken back by the undo event `by`."""


class WorkspaceLog(Protocol):
    """One workspace's log on disk. transaction() is for one thread at a time; the rest is safe from any thread.

    Any method raises DataLoss if the file is corrupt; leaving a transaction raises Exhausted if the disk is full.
    """

    @property
    def name(self) -> str: ...

    @property
    def created_us(self) -> int: ...

    def revision(self) -> int:
        """The last revision on disk, 0 with none."""

    def transaction(self) -> AbstractContextManager[LogTransaction]:
        """Commits (with fsync) when the block ends normally, rolls back when it raises."""

    def sample(self, sample_id: int) -> SampleRow | None:
        """A live sample."""

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        """Live samples, newest first; label "" = all; only sample_ids below `before` unless it is 0."""

    def count(self, label: str = "") -> int:
        """Live samples (of a label)."""

    def facts(self) -> list[SampleFacts]:
        """All live samples, oldest first, without drawings and embeddings."""

    def live(self) -> tuple[int, list[LiveSample]]:
        """The last revision, and all live samples at it, oldest first."""

    def samples_of(self, sample_ids: Sequence[int]) -> list[SampleRow]:
        """The samples with these numbers, forgotten ones included, oldest first."""

    def embeddings(self, embedder_hash: str) -> tuple[list[int], list[str], NDArray[np.float32]]:
        """sample_ids, labels and (n, d) embeddings of the live samples that these weights embedded, oldest first."""

    def stale(self, embedder_hash: str) -> list[StaleSample]:
        """The samples that other weights than these embedded, forgotten ones included, oldest first."""

    def every_sample(self) -> Iterator[SampleRow]:
        """All live samples, oldest first, from one consistent state."""

    def hidden_samples(self) -> Iterator[SampleRow]:
        """Forgotten samples, which an undo may bring back, oldest first."""

    def class_ids(self) -> dict[str, int]:
        """Return the number of each label that was ever taught, forgotten ones included: 0, 1, … in the order in which
        the labels first appeared in the log.
        """

    def links(self) -> dict[str, str]:
        """form -> canonical label, in the order in which they were linked."""

    def bytes_on_disk(self) -> int: ...

    def copy_to(self, path: Path) -> None:
        """Write a consistent, compact copy; path must not exist."""

    def fold(self) -> None:
        """Bring everything into the main file, so that it alone is the present state. No transaction may be open."""

    def close(self) -> None:
        """Fold everything into the main file and close it."""
