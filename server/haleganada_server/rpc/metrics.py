"""What a server knows about itself: the latencies of its calls, what it runs on, since when."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

_NEWEST = 1024  # calls of a method that its percentiles are taken from


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """device: what computes embeddings. embedder_hash, embedder_side (px), embedder_parameters, embedder_bytes: of the
    weights. versions: by component.
    """

    device: str
    embedder_hash: str
    embedder_side: int
    embedder_parameters: int
    embedder_bytes: int
    versions: Mapping[str, str]
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


class Latencies:
    """Latencies of the newest calls of each method. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[str, deque[float]] = {}
        self._calls: dict[str, int] = {}

    def add(self, method: str, milliseconds: float) -> None:
        """Record one answered call."""
        with self._lock:
            newest = self._newest.get(method)
            if newest is None:
                newest = self._newest[method] = deque(maxlen=_NEWEST)
                self._calls[method] = 0
            newest.append(milliseconds)
            self._calls[method] += 1

    def by_method(self) -> list[MethodLatency]:
        """Return the latency of each method that was called, by name."""
        with self._lock:
            newest = {method: sorted(durations) for method, durations in self._newest.items()}
            calls = dict(self._calls)
        return [
            MethodLatency(method, calls[method], _quantile(durations, 0.5), _quantile(durations, 0.99))
            for method, durations in sorted(newest.items())
        ]


def _quantile(ascending: list[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]
