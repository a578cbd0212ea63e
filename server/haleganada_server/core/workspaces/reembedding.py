"""Re-embedding stale samples, which other weights embedded, while the server answers calls.

One thread serves all workspaces, a batch of each in turn. A batch is one change in its workspace's queue: one
transaction, no event, no revision. It only says which embedding belongs to which sample; the sample's current label,
and whether it was forgotten meanwhile, are looked up when the batch is written. After a crash, the remaining samples
are found again by the hash that each sample carries.

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

from .changes.draft import Draft

_BATCH = 16  # drawings; a user's call waits for one batch at most
_MAX_FAILURES = 3  # in a row, after which a workspace is left alone until the next start
_JOIN_TIMEOUT_S = 10.0
_log = logging.getLogger(__name__)


class LogOwner(Protocol):
    """The workspace that a log belongs to."""

    def owns(self, log: WorkspaceLog) -> bool:
        """Return whether the workspace still uses this log. Waits for the change in progress."""

    def run(self, change: Callable[[Draft], None]) -> None:
        """Make a change durable, together with others. Raises the change's error."""


class Reembedder:
    """Embeds stale samples in the background. Safe from any thread. start() it once, close() it once."""

    def __init__(self, encoder: GlyphEncoder, retry_s: float = 10.0) -> None:
        """retry_s: pause after a full disk, a locked file or a failure."""
        self._encoder, self._retry_s = encoder, retry_s
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._owners: Counter[LogOwner] = Counter()  # of the tasks
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="reembed", daemon=True)

    def add(self, owner: LogOwner, log: WorkspaceLog, stale: Sequence[StaleSample]) -> None:
        """Embed these samples of a log, as long as its owner uses it."""
        _log.info("workspace %r: %d samples are to be re-embedded", log.name, len(stale))
        with self._lock:
            self._owners[owner] += 1
        self._tasks.put(_Task(owner, log, order_samples(stale), self._encoder))

    def has_tasks(self, owner: LogOwner) -> bool:
        """Return whether samples of a workspace are still to be embedded, those that are left alone not included."""
        return owner in self._owners

    def start(self) -> None:
        """Start; samples that were added before wait until now."""
        self._thread.start()

    def close(self) -> None:
        """Finish the batch in progress; the rest is done after the next start."""
        self._stopping.set()
        self._tasks.put(None)
        if self._thread.is_alive():
            self._thread.join(_JOIN_TIMEOUT_S)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None and not self._stopping.is_set():
            start = time.monotonic()
            outcome = task.advance()
            if outcome is _Outcome.DONE:
                self._finish(task)
            else:
                self._tasks.put(task)
            # A pause as long as the work: for half of the time, users' calls have the machine to themselves.
            self._stopping.wait(self._retry_s if outcome is _Outcome.RETRY else time.monotonic() - start)

    def _finish(self, task: _Task) -> None:
        with self._lock:
            self._owners[task.owner] -= 1
            if self._owners[task.owner] == 0:
                del self._owners[task.owner]


class _Outcome(Enum):
    DONE = "nothing is left to do"
    MORE = "there are more batches"
    RETRY = "the same batch has to be tried again later"


class _Task:
    """The remaining stale samples of one log."""

    def __init__(self, owner: LogOwner, log: WorkspaceLog, sample_ids: list[int], encoder: GlyphEncoder) -> None:
        self.owner, self._log = owner, log
        self._remaining, self._encoder = sample_ids, encoder
        self._failures = 0

    def advance(self) -> _Outcome:
        """Embed and write one batch."""
        try:
            self._embed_batch()
        except Exception as error:
            return self._handle_failure(error)
        self._failures = 0
        return _Outcome.MORE if self._remaining and self.owner.owns(self._log) else _Outcome.DONE

    def _handle_failure(self, error: Exception) -> _Outcome:
        if not self.owner.owns(self._log):
            return _Outcome.DONE  # the workspace was reset, restored, deleted or closed meanwhile
        if isinstance(error, (Exhausted, Unavailable)):
            _log.warning("workspace %r: re-embedding waits: %s", self._log.name, error)
            return _Outcome.RETRY
        self._failures += 1
        _log.error("workspace %r: re-embedding failed", self._log.name, exc_info=error)
        return _Outcome.RETRY if self._failures < _MAX_FAILURES else _Outcome.DONE

    def _embed_batch(self) -> None:
        batch, rest = self._remaining[:_BATCH], self._remaining[_BATCH:]
        samples = self._log.samples_by_id(batch)
        embeddings = self._encoder.embed_stored(samples)
        embeddings_by_id = {sample.sample_id: vector for sample, vector in zip(samples, embeddings, strict=True)}
        self.owner.run(lambda draft: self._write(draft, embeddings_by_id))
        for sample_id in (sample_id for sample_id, vector in embeddings_by_id.items() if vector is None):
            _log.error(
                "workspace %r: the drawing of sample %d is damaged, so the sample does not count in predictions; "
                "forget it, or restore a snapshot", self._log.name, sample_id,
            )  # fmt: skip
        self._remaining = rest

    def _write(self, draft: Draft, embeddings: dict[int, NDArray[np.float32] | None]) -> None:
        """Write the embeddings, unless a reset or restore replaced the log, which gives its sample_ids new meanings."""
        if self.owner.owns(self._log):
            for sample_id, embedding in embeddings.items():
                draft.update_embedding(sample_id, embedding)


def order_samples(stale: Sequence[StaleSample]) -> list[int]:
    """Return the sample_ids in the order to embed them. stale: oldest first. Forgotten samples, which only an undo
    brings back, come last.
    """
    ranks: Counter[tuple[bool, str]] = Counter()
    keys = []
    for sample in reversed(stale):
        group = (sample.forgotten, sample.label)
        keys.append((sample.forgotten, ranks[group], -sample.sample_id))
        ranks[group] += 1
    return [-negative_id for _, _, negative_id in sorted(keys)]
