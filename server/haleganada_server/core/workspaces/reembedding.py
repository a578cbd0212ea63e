"""Embedding anew what other weights embedded, while the server answers calls.

One thread serves all workspaces, a batch of each in turn. A batch is one change in its workspace's queue: one
transaction, no event, no revision. It only says which vector belongs to which sample; what the sample is by now, its
label or that it was forgotten, is looked up when the batch is written. After a crash, what is left is found again by
the hash that each sample carries.

Every label's newest sample comes before any label's second newest, because a label without a sample cannot be
recognized at all, while further samples improve it less and less.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import Exhausted, Unavailable
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import StaleSample

from .draft import Draft

_BATCH = 16  # drawings; about what one call of a user waits for at most
_FAULTS = 3  # in a row, after which a workspace is given up until the next start
_LAST_BATCH_S = 10.0
_log = logging.getLogger(__name__)


class Holder(Protocol):
    """The workspace that a log belongs to."""

    def holds(self, log: WorkspaceLog) -> bool:
        """Whether it still goes on with this log. Waits for the change in progress."""

    def run(self, change: Callable[[Draft], None]) -> None:
        """Make a change durable, together with others. Raises what made it fail."""


class Reembedder:
    """Embeds stale samples in the background. Safe from any thread. start() it once, close() it once."""

    def __init__(self, encoder: GlyphEncoder, retry_s: float = 10.0) -> None:
        """retry_s: how long to wait after a full disk, a file that another program holds, or a fault."""
        self._encoder, self._retry_s = encoder, retry_s
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="embed anew", daemon=True)

    def add(self, holder: Holder, log: WorkspaceLog, stale: Sequence[StaleSample]) -> None:
        """Embed these samples of a log, as long as the holder goes on with it."""
        _log.info("workspace %r: %d samples are to be embedded anew", log.name, len(stale))
        self._tasks.put(_Task(holder, log, in_turn(stale), self._encoder))

    def start(self) -> None:
        """Begin. Before that, samples can be added and wait."""
        self._thread.start()

    def close(self) -> None:
        """Finish the batch in progress, leave the rest for the next start."""
        self._stopping.set()
        self._tasks.put(None)
        if self._thread.is_alive():
            self._thread.join(_LAST_BATCH_S)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None and not self._stopping.is_set():
            began = time.monotonic()
            outcome = task.advance()
            if outcome is not _Outcome.DONE:
                self._tasks.put(task)
            # A rest as long as the work: for half of the time users' calls have the machine to themselves.
            self._stopping.wait(self._retry_s if outcome is _Outcome.RETRY else time.monotonic() - began)


class _Outcome(Enum):
    DONE = "nothing is left to do"
    MORE = "there are more batches"
    RETRY = "the same batch has to be tried again later"


class _Task:
    """What is left to be embedded of one log."""

    def __init__(self, holder: Holder, log: WorkspaceLog, sample_ids: list[int], encoder: GlyphEncoder) -> None:
        self._holder, self._log = holder, log
        self._left, self._encoder = sample_ids, encoder
        self._faults = 0

    def advance(self) -> _Outcome:
        """Embed and write one batch."""
        try:
            self._step()
        except Exception as error:
            return self._failed(error)
        self._faults = 0
        return _Outcome.MORE if self._left and self._holder.holds(self._log) else _Outcome.DONE

    def _failed(self, error: Exception) -> _Outcome:
        if not self._holder.holds(self._log):
            return _Outcome.DONE  # the workspace was reset, restored, deleted or closed meanwhile
        if isinstance(error, (Exhausted, Unavailable)):
            _log.warning("workspace %r: embedding anew waits: %s", self._log.name, error)
            return _Outcome.RETRY
        self._faults += 1
        _log.error("workspace %r: embedding anew failed", self._log.name, exc_info=error)
        return _Outcome.RETRY if self._faults < _FAULTS else _Outcome.DONE

    def _step(self) -> None:
        batch, rest = self._left[:_BATCH], self._left[_BATCH:]
        samples = self._log.samples_of(batch)
        embeddings = self._encoder.embed_stored(samples)
        fresh = {sample.sample_id: vector for sample, vector in zip(samples, embeddings, strict=True)}
        self._holder.run(lambda draft: self._write(draft, fresh))
        for sample_id in (sample_id for sample_id, vector in fresh.items() if vector is None):
            _log.error(
                "workspace %r: the drawing of sample %d cannot be read, so it is left out of what is recognized; "
                "forget it, or restore a snapshot", self._log.name, sample_id,
            )  # fmt: skip
        self._left = rest

    def _write(self, draft: Draft, fresh: dict[int, NDArray[np.float32] | None]) -> None:
        """Runs alone with the workspace. After a reset or a restore the same numbers mean other samples."""
        if self._holder.holds(self._log):
            for sample_id, embedding in fresh.items():
                draft.embed_anew(sample_id, embedding)


def in_turn(stale: Sequence[StaleSample]) -> list[int]:
    """sample_ids in the order to embed them, from samples oldest first; forgotten ones, which only an undo brings
    back, come last.
    """
    ranks: Counter[tuple[bool, str]] = Counter()
    placed = []
    for sample in reversed(stale):
        place = (sample.forgotten, sample.label)
        placed.append((sample.forgotten, ranks[place], -sample.sample_id))
        ranks[place] += 1
    return [-negative for _, _, negative in sorted(placed)]
