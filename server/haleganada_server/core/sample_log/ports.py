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

    def find_event(self, request_id: str) -> Event | None:
        """Return the event with this request_id; None if there is none."""

    def append(self, event: Event) -> int:
        """Add an event and return its revision: the last one + 1, unless event.revision is greater."""

    def add_sample(self, sample: SampleRow) -> None:
        """Add a live sample."""

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        """Return a live sample, or with forgotten=True one that was forgotten; None if there is none."""

    def next_sample_id(self) -> int:
        """Return a number greater than all sample_ids ever used in this log."""

    def set_label(self, sample_id: int, label: str) -> None:
        """Relabel a sample."""

    def set_forgotten(self, sample_id: int, forgotten: bool) -> None:
        """Forget a sample, or bring it back. Its row stays in the log, so that undo is exact."""

    def set_canonical(self, form: str, canonical: str) -> None:
        """Link a form to a canonical label; "" removes its link."""

    def set_embedding(self, sample_id: int, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        """Replace a sample's embedding, (d,)."""

    def last_change(self) -> Event | None:
        """Return the newest undoable event that is not undone; None if there is none."""

    def mark_undone(self, revision: int, by: int) -> None:
        """Record that a revision was undone by the event with revision `by`."""


class WorkspaceLog(Protocol):
    """One workspace's log on disk. transaction() is for one thread at a time; the rest is safe from any thread.

    Any method raises DataLoss if the file is corrupt; leaving a transaction raises Exhausted if the disk is full.
    """

    @property
    def name(self) -> str: ...

    @property
    def created_us(self) -> int: ...

    def revision(self) -> int:
        """Return the last revision on disk; 0 without one."""

    def transaction(self) -> AbstractContextManager[LogTransaction]:
        """Return a transaction that commits (with fsync) when its block ends, and rolls back if the block raises."""

    def sample(self, sample_id: int) -> SampleRow | None:
        """Return a live sample; None if there is none."""

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        """Return live samples, newest first. label "" = all; before: only sample_ids below it, 0 = all."""

    def count(self, label: str = "") -> int:
        """Return the number of live samples, of one label or in all."""

    def sample_facts(self) -> list[SampleFacts]:
        """Return all live samples, oldest first, without drawings and embeddings."""

    def live_samples(self) -> tuple[int, list[LiveSample]]:
        """Return the last revision, and all live samples at it, oldest first."""

    def samples_by_id(self, sample_ids: Sequence[int]) -> list[SampleRow]:
        """Return the samples with these ids, forgotten ones included, oldest first."""

    def embeddings(self, embedder_hash: str) -> tuple[list[int], list[str], NDArray[np.float32]]:
        """Return sample_ids, labels and (n, d) embeddings of the live samples that these weights embedded, oldest
        first.
        """

    def stale_samples(self, embedder_hash: str) -> list[StaleSample]:
        """Return the samples that other weights embedded, forgotten ones included, oldest first."""

    def all_samples(self) -> Iterator[SampleRow]:
        """Yield all live samples, oldest first, from one consistent state."""

    def forgotten_samples(self) -> Iterator[SampleRow]:
        """Yield the forgotten samples, which an undo may bring back, oldest first."""

    def class_ids(self) -> dict[str, int]:
        """Return the number of each label that was ever taught, forgotten ones included: 0, 1, … in the order in which
        the labels first appeared in the log.
        """

    def links(self) -> dict[str, str]:
        """Return form -> canonical label, in the order in which they were linked."""

    def bytes_on_disk(self) -> int: ...

    def copy_to(self, path: Path) -> None:
        """Write a consistent, compact copy; path must not exist."""

    def checkpoint(self) -> None:
        """Move everything into the main file, so that it alone holds the current state. No transaction may be open."""

    def close(self) -> None:
        """Move everything into the main file and close it."""
