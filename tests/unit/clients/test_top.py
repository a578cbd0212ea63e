"""What `haleganada top` makes of two looks at a server."""

from __future__ import annotations

from dataclasses import replace

from haleganada_client import MethodLatency, ServerStatus
from haleganada_client.cli.commands.top import View

ONE = ServerStatus(
    uptime_seconds=100.0, device="cpu", latencies=(MethodLatency("Predict", 50, 1.0, 2.0),), calls_total=60,
    calls_failed=10, calls_working=0, calls_waiting=0, streams_open=0, workspaces=1, workspaces_open=1, samples=0,
    jobs_queued=0, jobs_running=0, jobs_failed=0, readers=1, readers_busy=0, pages_waiting=0, memory_bytes=None,
)  # fmt: skip


def test_rates_are_what_happened_between_two_looks() -> None:
    methods = (MethodLatency("Predict", 70, 1.0, 2.0), MethodLatency("Train", 4, 1.0, 2.0))
    view = View.between(ONE, replace(ONE, uptime_seconds=102.0, latencies=methods, calls_total=86, calls_failed=12))
    assert (view.per_second, view.failed_per_second) == (13.0, 1.0)
    assert view.by_method == {"Predict": 10.0, "Train": 2.0}


def test_after_a_restart_rates_are_those_since_then() -> None:
    methods = (MethodLatency("Predict", 6, 1.0, 2.0),)
    view = View.between(ONE, replace(ONE, uptime_seconds=2.0, latencies=methods, calls_total=8, calls_failed=0))
    assert (view.per_second, view.failed_per_second, view.by_method) == (4.0, 0.0, {"Predict": 3.0})
