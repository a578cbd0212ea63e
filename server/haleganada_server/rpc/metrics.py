"""What a server knows about itself: its calls, their outcomes and latencies, what it runs on, since when."""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from haleganada_server.core.glyphs.ports import DeviceState
from haleganada_server.core.measures import CALL_S, Distribution, Histogram

_NEWEST = 1024  # calls of a method that its percentiles are taken from


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """device: what computes embeddings. embedder_hash, embedder_side (px), embedder_parameters, embedder_bytes: of the
    weights. versions: by component. describe_device: returns how that device is right now.
    """

    device: str
    embedder_hash: str
    embedder_side: int
    embedder_parameters: int
    embedder_bytes: int
    versions: Mapping[str, str]
    describe_device: Callable[[], DeviceState] = DeviceState
    started: float = field(default_factory=time.monotonic)

    def uptime_s(self) -> float:
        """Return the seconds since the server started."""
        return time.monotonic() - self.started


@dataclass(frozen=True, slots=True)
class MethodLatency:
    """Latency of one RPC. calls: since the start. p50_ms, p99_ms: of the newest calls, without waiting for a thread."""

    method: str
    calls: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class MethodCalls:
    """All calls of one RPC since the start. by_code: the names of gRPC's codes. seconds: of those that began to work,
    without waiting for a thread.
    """

    method: str
    by_code: Mapping[str, int]
    seconds: Distribution


@dataclass(frozen=True, slots=True)
class ServerLoad:
    """working: calls that have a turn. waiting: those that wait for one. short_calls: both, and those whose message is
    on its way. streams: those that are open.
    """

    working: int
    waiting: int
    short_calls: int
    streams: int


class CallSpan(Protocol):
    """What a trace shows of one call."""

    def end(self, code: str, call_id: str) -> None:
        """The call is over. code: the name of gRPC's."""


BeginSpan = Callable[[str, Iterable[tuple[str, str | bytes]]], CallSpan]


class _Method:
    """What is counted of one RPC."""

    __slots__ = ("by_code", "counts", "newest", "total_s")

    def __init__(self) -> None:
        self.newest: deque[float] = deque(maxlen=_NEWEST)  # milliseconds
        self.by_code: Counter[str] = Counter()
        self.counts = [0] * (len(CALL_S) + 1)
        self.total_s = 0.0


class Latencies:
    """Latencies and outcomes of the calls of each method. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._methods: dict[str, _Method] = {}
        self._reasons: Counter[str] = Counter()
        self.begin_span: BeginSpan | None = None
        """Begins the span of a call, by its method and metadata; None where nobody traces."""
        self.waits = Histogram(CALL_S)
        """Seconds from the beginning of a call to that of its work."""

    def add(self, method: str, milliseconds: float, code: str = "OK") -> None:
        """Record a call that began to work, and is over. code: the name of gRPC's."""
        seconds = milliseconds / 1000
        place = bisect_left(CALL_S, seconds)
        with self._lock:
            found = self._methods.get(method) or self._add_method(method)
            found.newest.append(milliseconds)
            found.by_code[code] += 1
            found.counts[place] += 1
            found.total_s += seconds

    def add_unstarted(self, method: str, code: str) -> None:
        """Record a call that ended before it began to work."""
        with self._lock:
            found = self._methods.get(method) or self._add_method(method)
            found.by_code[code] += 1

    def add_error(self, reason: str) -> None:
        """Record why a call failed, or was refused."""
        with self._lock:
            self._reasons[reason] += 1

    def by_method(self) -> list[MethodLatency]:
        """Return the latency of each method that was called, by name."""
        with self._lock:
            newest = {name: (sorted(one.newest), sum(one.counts)) for name, one in self._methods.items() if one.newest}
        return [
            MethodLatency(name, calls, _quantile(durations, 0.5), _quantile(durations, 0.99))
            for name, (durations, calls) in sorted(newest.items())
        ]

    def calls(self) -> list[MethodCalls]:
        """Return what is counted of each method that was called, by name."""
        with self._lock:
            return [
                MethodCalls(name, dict(one.by_code), Distribution(CALL_S, tuple(one.counts), one.total_s))
                for name, one in sorted(self._methods.items())
            ]

    def count_by_code(self) -> Counter[str]:
        """Return how many calls ended with each of gRPC's codes."""
        with self._lock:
            return sum((one.by_code for one in self._methods.values()), Counter())

    def errors_by_reason(self) -> dict[str, int]:
        """Return how many calls failed or were refused, by the contract's reason."""
        with self._lock:
            return dict(self._reasons)

    def _add_method(self, method: str) -> _Method:
        found = self._methods[method] = _Method()
        return found


def _quantile(ascending: list[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]
