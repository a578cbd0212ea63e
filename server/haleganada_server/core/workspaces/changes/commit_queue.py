"""Group commit: changes that arrive while the disk is busy share the next commit.

Each caller queues its change and acquires the lock. Whoever gets it commits everything that is queued, so the others
find their changes done (“flat combining”: Hendler, Incze, Shavit and Tzafrir, SPAA 2010). A lone caller never waits for
a timer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from haleganada_server.core.baton import locked
from haleganada_server.core.errors import ITEM_ERRORS

MAX_GROUP = 512


class PendingChange:
    """One queued change and, once it is committed, its answer or its error."""

    __slots__ = ("answer", "apply", "done", "error")

    def __init__(self, apply: Callable[[Any], Any]) -> None:
        self.apply = apply
        self.done = False
        self.answer: Any = None
        self.error: Exception | None = None

    def result(self) -> Any:
        """Return the answer; raise what the change raised."""
        if self.error is not None:
            raise self.error
        return self.answer

    def outcome(self) -> Any:
        """Return the answer, or the error if it concerns this change alone; raise any other error."""
        return self.error if isinstance(self.error, ITEM_ERRORS) else self.result()


class CommitQueue:
    """Runs `commit` on groups of pending changes, one group at a time, in the order of their arrival."""

    def __init__(self, commit: Callable[[list[PendingChange]], None]) -> None:
        """commit: makes a group durable and sets each change's answer or error; if it raises, that is the error of the
        whole group.
        """
        self._commit = commit
        self._waiting: deque[PendingChange] = deque()
        self.lock = threading.RLock()  # also acquired by whoever must be alone with the log

    def __len__(self) -> int:
        """Return how many changes wait for the next commit."""
        return len(self._waiting)

    def run(self, changes: Sequence[PendingChange]) -> None:
        """Return when all changes are done, successfully or not."""
        self._waiting.extend(changes)
        with locked(self.lock):
            while not all(change.done for change in changes):
                count = min(len(self._waiting), MAX_GROUP)
                self._commit_group([self._waiting.popleft() for _ in range(count)])

    def run_alone(self, change: PendingChange) -> None:
        """Return when a change is done that must not share its commit, because it is large."""
        with locked(self.lock):
            self._commit_group([change])

    def _commit_group(self, group: list[PendingChange]) -> None:
        try:
            self._commit(group)
        except Exception as error:
            for change in group:
                change.error = error
        for change in group:
            change.done = True
