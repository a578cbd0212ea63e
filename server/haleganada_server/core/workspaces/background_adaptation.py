"""Adapting a workspace's head once its teachers pause, so that the next prediction finds it adapted.

A workspace that was only opened adapts when it is first asked: a server may hold many that nobody asks.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from haleganada_server.core.fewshot.head import Head

_PAUSE_S = 0.03
"""While samples come faster than this, nobody asks, or whoever asks adapts the head himself."""


@dataclass(frozen=True, slots=True, eq=False)
class _Notice:
    head: Head
    present: Callable[[], Head]
    time_s: float = field(default_factory=time.monotonic)


class BackgroundAdaptation:
    """One thread for all workspaces. Safe from any thread. start() it once, close() it once."""

    def __init__(self) -> None:
        self._notices: queue.SimpleQueue[_Notice | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="adapt", daemon=True)

    def published(self, head: Head, present: Callable[[], Head]) -> None:
        """A workspace has published a head; present: gives the one that it has by then."""
        self._notices.put(_Notice(head, present))

    def start(self) -> None:
        """Begin. What was published before waits."""
        self._thread.start()

    def close(self) -> None:
        """Finish the head in progress."""
        self._notices.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while (notice := self._notices.get()) is not None:
            time.sleep(max(0.0, notice.time_s + _PAUSE_S - time.monotonic()))
            if notice.present() is notice.head:
                notice.head.adapt()
