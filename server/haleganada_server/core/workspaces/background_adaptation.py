"""Adapting a workspace's head once teaching pauses, so that the next prediction finds it adapted.

A workspace that was only opened adapts at its first prediction: a server may hold many that nobody uses.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from haleganada_server.core.fewshot.head import Head

_PAUSE_S = 0.03
"""While samples arrive faster than this, a prediction in between adapts the head by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    head: Head
    current_head: Callable[[], Head]
    time_s: float = field(default_factory=time.monotonic)


class BackgroundAdaptation:
    """One background thread for all workspaces. Safe from any thread. start() it once, close() it once."""

    def __init__(self) -> None:
        self._entries: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="adapt", daemon=True)

    def schedule(self, head: Head, current_head: Callable[[], Head]) -> None:
        """Adapt a published head after a pause, unless the workspace has another one by then. current_head: returns the
        workspace's head.
        """
        self._entries.put(_Entry(head, current_head))

    def start(self) -> None:
        """Start; heads that were scheduled before wait until now."""
        self._thread.start()

    def close(self) -> None:
        """Finish the head in progress, and stop."""
        self._entries.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while (entry := self._entries.get()) is not None:
            time.sleep(max(0.0, entry.time_s + _PAUSE_S - time.monotonic()))
            if entry.current_head() is entry.head:
                entry.head.adapt()
