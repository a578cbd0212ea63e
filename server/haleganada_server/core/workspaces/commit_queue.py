"""Group commit: changes that arrive while the disk is busy share the next commit.

Each caller queues its change and asks for the lock. Whoever gets it commits everything that is queued, so those who
waited find their change done (“flat combining”: Hendler, Incze, Shavit and Tzafrir, SPAA 2010). A lone caller never
waits for a timer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from haleganada_server.core.errors import ITEM_ERRORS

MAX_GROUP = 512


class Pending:
    """One queued change and, once committed, its answer or its error."""

    __slots__ = ("answer", "apply", "done", "error")

    def __init__(self, apply: Callable[[Any], Any]) -> None:
        self.apply = apply
        self.done = False
        self.answer: Any = None
        self.error: Exception | None = None

    def result(self) -> Any:
        """The answer; raises what the change raised."""
        if self.error is not None:
            raise self.error
        return self.answer

    def outcome(self) -> Any:
        """Return the answer, or the error if it concerns this change alone; raise any other error."""
        return self.error if isinstance(self.error, ITEM_ERRORS) else self.result()


class CommitQueue:
    """Runs `commit` on groups of pending changes, one group at a time, in the order of their arrival."""

    def __init__(self, commit: Callable[[list[Pending]], None]) -> None:
        """commit: makes the group durable and sets answer or error of each; if it raises, the whole group failed
        with that.
        """
        self._commit = commit
        self._waiting: deque[Pending] = deque()
        self.lock = threading.RLock()  # also taken by whoever must be alone with the log

    def __len__(self) -> int:
        """Changes that wait for the next commit."""
        return len(self._waiting)

    def run(self, changes: Sequence[Pending]) -> None:
        """Returns when all changes are done, one way or the other."""
        self._waiting.extend(changes)
        with self.lock:
            while not all(change.done for change in changes):
                self._commit_group()

    def _commit_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_GROUP))]
        try:
            self._commit(group)
        except Exception as error:
            for change in group:
                change.error = error
        for change in group:
            change.done = True
