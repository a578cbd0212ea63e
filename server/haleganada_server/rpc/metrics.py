"""What a server knows of itself: how long its calls take, what it runs on, since when."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

_NEWEST = 1024  # calls of a method that its percentiles are taken from


@dataclass(frozen=True, slots=True)
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
        """Seconds since the start."""
        return time.monotonic() - self.started


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """calls: since the start. p50_ms, p99_ms: of the newest calls, from the moment a thread took them up."""

    method: str
    calls: int
    p50_ms: float
    p99_ms: float


class Latencies:
    """Durations of the newest calls of each method. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[str, deque[float]] = {}
        self._calls: dict[str, int] = {}

    def add(self, method: str, milliseconds: float) -> None:
        """Note one answered call."""
        with self._lock:
            self._newest.setdefault(method, deque(maxlen=_NEWEST)).append(milliseconds)
            self._calls[method] = self._calls.get(method, 0) + 1

    def figures(self) -> list[MethodFigures]:
        """Of all methods called so far, by name."""
        with self._lock:
            newest = {method: sorted(durations) for method, durations in self._newest.items()}
            calls = dict(self._calls)
        return [
            MethodFigures(method, calls[method], _quantile(durations, 0.5), _quantile(durations, 0.99))
            for method, durations in sorted(newest.items())
        ]


def _quantile(ascending: list[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]
