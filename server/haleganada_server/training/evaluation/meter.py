"""How far the work is, told to whoever waits, and whether they still want it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Report = Callable[[dict[str, Any]], None]
Item = TypeVar("Item")

_SECONDS_BETWEEN = 0.5  # reports; the first and the last of a stage are always sent


class Cancelled(Exception):
    """Nobody wants the result any more."""


class Meter:
    """Reports progress, and raises Cancelled where the work may stop."""

    def __init__(self, report: Report, cancelled: Callable[[], bool]) -> None:
        self._report, self._cancelled = report, cancelled

    def steps(
        self, stage: str, items: Sequence[Item], size: Callable[[Item], int], message: str = ""
    ) -> Iterator[Item]:
        """The items one by one; size(item): how many steps it is of those that are reported."""
        total, done, start, last = sum(map(size, items)), 0, time.monotonic(), 0.0
        for item in items:
            self.check()
            now = time.monotonic()
            if now - last >= _SECONDS_BETWEEN:
                self._tell(stage, done, total, (now - start) / done * (total - done) if done else 0.0, message)
                last = now
            yield item
            done += size(item)
        self._tell(stage, total, total, 0.0, message)

    def check(self) -> None:
        """Raises Cancelled if nobody wants the result any more."""
        if self._cancelled():
            raise Cancelled

    def _tell(self, stage: str, done: int, total: int, eta: float, message: str) -> None:
        progress = {"stage": stage, "done": done, "total": total, "eta_seconds": round(eta, 1), "message": message}
        self._report({"progress": progress})
