"""Figures of the server itself, which Stats shows beside those of a workspace."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from haleganada.v1 import ocr_service_pb2 as pb

from .interceptors import CallMonitor


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """device and versions are for people; embedder_hash is the SHA-256 of the weights."""

    device: str
    embedder_hash: str
    versions: Mapping[str, str]
    monitor: CallMonitor
    started: float = field(default_factory=time.monotonic)

    def add_to(self, answer: pb.StatsResponse) -> None:
        """Fill in the fields that concern the server."""
        answer.device, answer.embedder_hash = self.device, self.embedder_hash
        answer.versions.update(self.versions)
        answer.uptime_seconds = time.monotonic() - self.started
        for method, calls, p50, p99 in self.monitor.latencies():
            answer.latencies.append(pb.MethodLatency(method=method, calls=calls, p50_ms=p50, p99_ms=p99))
