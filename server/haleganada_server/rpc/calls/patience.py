"""How long the server waits for a caller who sends or reads too slowly.

A call has a number of seconds of patience. Waiting for its caller uses them up, and every byte that passes gives some
back, up to the first number. So a stream that stands still ends after that time, and one that trickles ends too, while
the server's own work costs the caller nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_EVERY_S = 0.25


class Patience:
    """The patience with one call, or with one direction of it. give_up: ends it; called again each second while the
    server waits even then. is_excused: returns whether the caller has a reason to stand still.
    """

    __slots__ = ("_bytes_per_s", "_left", "_longest", "_since", "give_up", "is_excused")

    def __init__(self, seconds: float, bytes_per_s: float, give_up: Callable[[], object]) -> None:
        self._longest = self._left = seconds
        self._bytes_per_s = bytes_per_s
        self._since = 0.0
        self.give_up = give_up
        self.is_excused: Callable[[], bool] = lambda: False

    def begin(self) -> None:
        """Begin to wait for the caller."""
        self._since = time.monotonic()

    def end(self) -> None:
        """The wait is over."""
        self._left -= time.monotonic() - self._since

    def earn(self, size_bytes: int) -> None:
        """The caller has sent or taken so many bytes."""
        self._left = min(self._longest, self._left + size_bytes / self._bytes_per_s)

    def is_over(self, now: float) -> bool:
        """Return whether the caller has made the server wait too long."""
        return now - self._since > self._left

    def extend(self) -> None:
        """Wait for another second."""
        self._left += 1.0


class Watchdog:
    """Watches all calls that wait for their callers, in one thread. start() it once, stop() it once."""

    def __init__(self) -> None:
        self._waiting: dict[int, Patience] = {}
        self._others: list[Callable[[float, bool], None]] = []
        self._stopped = threading.Event()
        self.is_releasing = False
        self._thread = threading.Thread(target=self._watch, name="patience", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def add(self, cut_off: Callable[[float, bool], None]) -> None:
        """Let others cut off those who wait with them. cut_off: called now and then with the time of the monotonic
        clock, and whether nobody is to be waited for any longer.
        """
        self._others.append(cut_off)

    def release(self) -> None:
        """Wait for no caller any longer: the server is about to end."""
        self.is_releasing = True

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def waiting(self, patience: Patience) -> Iterator[None]:
        """Watch a call for the block, which waits for its caller."""
        patience.begin()
        self._waiting[id(patience)] = patience
        try:
            yield
        finally:
            del self._waiting[id(patience)]
            patience.end()

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY_S):
            now = time.monotonic()
            for cut_off in self._others:
                cut_off(now, self.is_releasing)
            for patience in list(self._waiting.values()):
                if patience.is_excused():
                    patience.begin()
                if patience.is_over(now) or self.is_releasing:
                    patience.extend()
                    patience.give_up()
