"""Starts a server on a data directory and reads what it costs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient

from tests.bench.drawings import LABELS, strokes
from tests.bench.memory import read_memory
from tests.e2e.processes import ServerProcess, fresh_server


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a server costs. start_s: until it serves. first_ms: the slowest first answer of a workspace; p50_ms,
    cpu_ms: of further answers, wall time for the client and CPU time of the server. resident_mb, descriptors: the most
    that was seen.
    """

    start_s: float
    first_ms: float
    p50_ms: float
    cpu_ms: float
    resident_mb: float
    descriptors: int


def measure(data: Path, names: Sequence[str], calls: int = 300, options: Iterable[str] = ()) -> Cost:
    """Ask all these workspaces in turn, then again until there were so many calls."""
    start = time.perf_counter()
    with fresh_server(data, *options) as running, running.client() as client:
        start_s = time.perf_counter() - start
        first = [_time_call(client, name, number) for number, name in enumerate(names)]
        resident, descriptors = read_memory(running.process.pid) / 2**20, count_descriptors(running)
        cpu = read_cpu_s(running)
        rounds = max(1, round(calls / len(names)))
        later = [_time_call(client, name, number) for number, name in enumerate(list(names) * rounds)]
        cpu_ms = (read_cpu_s(running) - cpu) / len(later) * 1000
        return Cost(
            start_s=start_s,
            first_ms=float(np.percentile(first, 50)),
            p50_ms=float(np.percentile(later, 50)),
            cpu_ms=cpu_ms,
            resident_mb=max(resident, read_memory(running.process.pid) / 2**20),
            descriptors=max(descriptors, count_descriptors(running)),
        )


def _time_call(client: HaleganadaClient, name: str, number: int) -> float:
    """Return the milliseconds of one Predict."""
    ink = strokes(LABELS[number % len(LABELS)], 1000 + number % 50)
    start = time.perf_counter()
    client.predict(ink, workspace=name)
    return (time.perf_counter() - start) * 1000


def count_descriptors(running: ServerProcess) -> int:
    """Return how many descriptors a server's process has open."""
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


def read_cpu_s(running: ServerProcess) -> float:
    """Return the CPU seconds that a server's process has used."""
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
