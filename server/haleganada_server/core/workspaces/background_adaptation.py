"""Adapting heads to what was taught, without making anybody wait for it.

After each change a workspace is due once teaching pauses, or after a second of teaching without a pause. However often
that is, adapting takes at most a tenth of the time of one core: after each head, the thread rests nine times as long as
the head took (20 ms for a few labels, 0.3 s for 10,000). Until then, predictions use the last basis.

A workspace that was only opened is due once it is asked again and again: an adapted basis takes half a megabyte, and a
server may hold many workspaces that are asked once.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import NamedTuple, Protocol

PAUSE_S = 0.03
MAX_WAIT_S = 1.0
REST = 9.0  # times the time that the last head took
MAX_REST_S = 10.0
_log = logging.getLogger(__name__)


class Adaptable(Protocol):
    """A workspace."""

    def adapt(self) -> object:
        """Adapt the head to all samples of the published state."""


class _Change(NamedTuple):
    first_s: float
    last_s: float

    def due_s(self) -> float:
        return min(self.last_s + PAUSE_S, self.first_s + MAX_WAIT_S)


class BackgroundAdaptation:
    """One background thread for all workspaces. Safe from any thread. start() it once, close() it once."""

    def __init__(self) -> None:
        self._changed: dict[Adaptable, _Change] = {}
        self._condition = threading.Condition()
        self._rest_until_s = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="adapt", daemon=True)

    def schedule(self, workspace: Adaptable) -> None:
        """Adapt a workspace that has just changed, soon."""
        now = time.monotonic()
        with self._condition:
            earlier = self._changed.get(workspace)
            self._changed[workspace] = _Change(earlier.first_s if earlier else now, now)
            if len(self._changed) == 1 and not earlier:  # otherwise the thread wakes up in time anyway
                self._condition.notify()

    def ensure(self, workspace: Adaptable) -> None:
        """Adapt a workspace soon, unless that is going to happen anyway."""
        with self._condition:
            is_due = workspace in self._changed
        if not is_due:
            self.schedule(workspace)

    def discard(self, workspace: Adaptable) -> None:
        """Forget a workspace that is being closed."""
        with self._condition:
            self._changed.pop(workspace, None)

    def start(self) -> None:
        """Start; workspaces that were scheduled before wait until now."""
        self._thread.start()

    def close(self) -> None:
        """Finish the head in progress, and stop."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while (workspace := self._take()) is not None:
            start = time.monotonic()
            try:
                workspace.adapt()
            except Exception:
                _log.exception("adapting a workspace failed; it keeps its former basis until its next change")
            end = time.monotonic()
            self._rest_until_s = end + min(REST * (end - start), MAX_REST_S)

    def _take(self) -> Adaptable | None:
        """Wait for a workspace that is due, and return it; None once closed."""
        with self._condition:
            while not self._closed:
                first = min(self._changed, key=lambda workspace: self._changed[workspace].due_s(), default=None)
                if first is None:
                    self._condition.wait()
                    continue
                wait_s = max(self._changed[first].due_s(), self._rest_until_s) - time.monotonic()
                if wait_s <= 0:
                    del self._changed[first]
                    return first
                self._condition.wait(wait_s)
            return None
