"""Reporting progress to the server, and stopping when the job is cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Report = Callable[[dict[str, Any]], None]
Item = TypeVar("Item")

_SECONDS_BETWEEN_REPORTS = 0.5  # the first and the last of a stage are always sent


class Cancelled(Exception):
    """Nobody wants the result any more."""


class ProgressReporter:
    """Reports progress, and raises Cancelled where the work may stop."""

    def __init__(self, report: Report, cancelled: Callable[[], bool]) -> None:
        self._report, self._cancelled = report, cancelled

    def track(
        self, stage: str, items: Sequence[Item], size: Callable[[Item], int], message: str = ""
    ) -> Iterator[Item]:
        """Yield the items one by one, and report steps. size(item): number of steps that an item stands for."""
        total, done, start, last = sum(map(size, items)), 0, time.monotonic(), 0.0
        for item in items:
            self.raise_if_cancelled()
            now = time.monotonic()
            if now - last >= _SECONDS_BETWEEN_REPORTS:
                self._send(stage, done, total, (now - start) / done * (total - done) if done else 0.0, message)
                last = now
            yield item
            done += size(item)
        self._send(stage, total, total, 0.0, message)

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled if nobody wants the result any more."""
        if self._cancelled():
            raise Cancelled

    def _send(self, stage: str, done: int, total: int, eta: float, message: str) -> None:
        progress = {"stage": stage, "done": done, "total": total, "eta_seconds": round(eta, 1), "message": message}
        self._report({"progress": progress})


def carry_out(
    evaluate: Callable[[dict[str, Any], ProgressReporter], dict[str, Any]],
    request: dict[str, Any],
    report: Report,
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Return the protocol's “done” for an evaluation: {"model": False, "cancelled", "result"}, whose result is empty if
    it was cancelled.
    """
    try:
        result = evaluate(request, ProgressReporter(report, cancelled))
    except Cancelled:
        return {"model": False, "cancelled": True, "result": {}}
    return {"model": False, "cancelled": False, "result": result}
