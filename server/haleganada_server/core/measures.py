"""What a server measures of itself while it works, cheap enough to be always on; somebody may read it now and then."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from time import perf_counter

DRAWINGS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0, 1024.0)
"""Bounds of batches."""
SHORT_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Bounds of what takes milliseconds."""
CALL_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds of calls."""
PAGE_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Bounds of pages that are read."""


Span = Callable[[str], AbstractContextManager[object]]
"""Makes a block part of a trace, under a name."""


def no_span(name: str) -> AbstractContextManager[object]:
    """Span: of a server that nobody traces."""
    del name
    return _NO_SPAN


_NO_SPAN = nullcontext()


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values by size. counts: how many were up to each bound and above the one before, last those above all bounds."""

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


class Histogram:
    """Counts values by size. Safe from any thread."""

    __slots__ = ("_bounds", "_counts", "_lock", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """bounds: ascending; a value counts for the first that is not below it."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0
        self._lock = threading.Lock()

    def add(self, value: float) -> None:
        """Count a value."""
        place = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[place] += 1
            self._total += value

    @contextmanager
    def count_seconds(self) -> Iterator[None]:
        """Count the seconds that the block takes, also if it raises."""
        began = perf_counter()
        try:
            yield
        finally:
            self.add(perf_counter() - began)

    def read(self) -> Distribution:
        """Return what was counted since the start."""
        with self._lock:
            return Distribution(self._bounds, tuple(self._counts), self._total)


class Count:
    """Counts events. Safe from any thread."""

    __slots__ = ("_lock", "_value")

    def __init__(self) -> None:
        self._value = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        """Count one more."""
        with self._lock:
            self._value += 1

    def read(self) -> int:
        """Return how many there were since the start."""
        return self._value


@dataclass(frozen=True, slots=True, eq=False)
class CommitMeasures:
    """seconds: of commits, with their fsync. errors: commits that failed. span: see Measures."""

    seconds: Histogram = field(default_factory=lambda: Histogram(SHORT_S))
    errors: Count = field(default_factory=Count)
    span: Span = no_span


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """batch_drawings, batch_s: of the batches that the embedder computed. page_s: of pages that were read. span:
    makes a batch, or a page, part of a trace.
    """

    batch_drawings: Histogram = field(default_factory=lambda: Histogram(DRAWINGS))
    batch_s: Histogram = field(default_factory=lambda: Histogram(SHORT_S))
    commits: CommitMeasures = field(default_factory=CommitMeasures)
    page_s: Histogram = field(default_factory=lambda: Histogram(PAGE_S))
    failed_pages: Count = field(default_factory=Count)
    span: Span = no_span
