"""One workspace's durable log, as a port: a second storage engine is a second implementation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .rows import (
    EmbeddedSamples,
    Event,
    FollowedEvent,
    LiveSample,
    LogState,
    LogSummary,
    SampleFacts,
    SampleRow,
    StaleSample,
)


class LogReplaced(Exception):
    """Another server has replaced the log, or the embeddings in it, so that it has to be opened again."""


class LogTransaction(Protocol):
    """Changes that reach the disk together or not at all. Sees its own changes."""

    def news(self, revision: int) -> Sequence[FollowedEvent]:
        """Return what other servers have committed after a revision, oldest first; always nothing where one server
        alone writes. Nobody else commits until the transaction ends.
        """

    def find_event(self, request_id: str) -> Event | None:
        """Return the event with this request_id; None if there is none."""

    def append(self, event: Event) -> int:
        """Add an event and return its revision: the last one + 1, unless event.revision is greater."""

    def add_sample(self, sample: SampleRow) -> None:
        """Add a live sample."""

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        """Return a live sample, or with forgotten=True one that was forgotten; None if there is none."""

    def find_drawing(self, label: str, glyph_kind: str, glyph: bytes) -> int:
        """Return the oldest live sample of a label that has the same drawing as stored; 0 if there is none."""

    def next_sample_id(self) -> int:
        """Return a number greater than all sample_ids ever used in this workspace, also by logs before this one."""

    def set_label(self, sample_id: int, label: str) -> None:
        """Relabel a sample."""

    def set_forgotten(self, sample_id: int, forgotten: bool) -> None:
        """Forget a sample, or bring it back. Its row stays in the log, so that undo is exact."""

    def set_canonical(self, form: str, canonical: str) -> None:
        """Link a form to a canonical label; "" removes its link."""

    def set_embedding(self, sample_id: int, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        """Replace a sample's embedding, (d,)."""

    def last_change(self, before: int | None = None) -> Event | None:
        """Return the newest undoable event that is not undone, with `before` below that revision; None without one."""

    def mark_undone(self, revision: int, by: int) -> None:
        """Record that a revision was undone by the event with revision `by`."""


class SampleVisitor(Protocol):
    """Takes the samples of a log while it is opened, so that they are read once."""

    @property
    def embedder_hash(self) -> str:
        """The current weights."""

    def begin(self) -> None:
        """Forget what came before: all samples follow, from the first on."""

    def add(self, block: EmbeddedSamples) -> None:
        """Take the next live samples that these weights embedded, see WorkspaceLog.embeddings."""

    def add_stale(self, sample: StaleSample) -> None:
        """Take the next stale sample, see WorkspaceLog.stale_samples."""

    def take_state(self, state: LogState) -> None:
        """Take what the log says besides, at the same revision, after all samples."""


class WorkspaceLog(Protocol):
    """One workspace's log on disk. transaction() is for one thread at a time; the rest is safe from any thread.

    Any method raises DataLoss if the file is corrupt; leaving a transaction raises Exhausted if the disk is full.
    """

    @property
    def name(self) -> str: ...

    @property
    def created_us(self) -> int: ...

    @property
    def closed(self) -> bool: ...

    def last_sample_id(self) -> int:
        """Return the greatest sample_id ever used in this workspace, also by logs that this one replaced; 0 without
        one.
        """

    def revision(self) -> int:
        """Return the last revision on disk; 0 without one."""

    def last_event(self) -> Event | None:
        """Return the event of the last revision; None without one."""

    def transaction(self) -> AbstractContextManager[LogTransaction]:
        """Return a transaction that commits (with fsync) when its block ends, and rolls back if the block raises.
        Entering it raises LogReplaced, and NotFound if another server has deleted the workspace.
        """

    def news(self, revision: int) -> Sequence[FollowedEvent]:
        """Return what other servers have committed after a revision, as LogTransaction.news does. Raises LogReplaced,
        NotFound.
        """

    def sample(self, sample_id: int) -> SampleRow | None:
        """Return a live sample; None if there is none."""

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        """Return live samples, newest first. label "" = all; before: only sample_ids below it, 0 = all."""

    def count(self, label: str = "") -> int:
        """Return the number of live samples, of one label or in all."""

    def sample_facts(self, newest: int | None = None) -> list[SampleFacts]:
        """Return all live samples, oldest first, without drawings and embeddings; with `newest`, only so many of the
        newest ones.
        """

    def summarize(self, max_confusions: int) -> LogSummary:
        """Return the summary of one consistent state, with at most so many confusions."""

    def live_samples(self) -> tuple[int, list[LiveSample]]:
        """Return the last revision, and all live samples at it, oldest first."""

    def samples_by_id(self, sample_ids: Sequence[int]) -> list[SampleRow]:
        """Return the samples with these ids, forgotten ones included, oldest first."""

    def clients(self, revisions: Sequence[int]) -> dict[int, str]:
        """Return Event.client of these revisions, as far as the log has them."""

    def embeddings(self, embedder_hash: str, newest: int | None = None) -> Iterator[EmbeddedSamples]:
        """Yield the live samples that these weights embedded, oldest first, block by block, from one consistent state;
        with `newest`, only so many of the newest ones.
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

    @property
    def memory_bytes(self) -> int:
        """About how many bytes of memory the log takes for quick answers."""

    def copy_to(self, path: Path) -> None:
        """Write a consistent, compact copy; path must not exist."""

    def checkpoint(self) -> None:
        """Move everything into the main file, so that it alone holds the current state. No transaction may be open."""

    def close(self) -> None:
        """Move everything into the main file and close it."""
