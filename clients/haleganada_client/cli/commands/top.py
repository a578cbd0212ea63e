"""top: how busy the server is, again and again."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass

import click

from haleganada_client.cli.formatting import format_count, format_duration, format_size, format_table
from haleganada_client.cli.output.quotas import quota_rows
from haleganada_client.cli.output.replica import describe_replica
from haleganada_client.cli.session import Session, with_session
from haleganada_client.client import HaleganadaClient
from haleganada_client.json_values import to_json_value
from haleganada_client.types import ServerStatus


@dataclass(frozen=True)
class View:
    """A server between two looks at it. per_second: calls that ended, in all; by_method: those that worked, by method.
    failed_per_second: of all, with another code than OK.
    """

    status: ServerStatus
    per_second: float
    failed_per_second: float
    by_method: dict[str, float]

    @classmethod
    def between(cls, before: ServerStatus, after: ServerStatus) -> View:
        """Compare two looks. After a restart of the server, what it has done since counts."""
        if after.uptime_seconds <= before.uptime_seconds:
            seconds, total, failed, known = after.uptime_seconds, 0, 0, {}
        else:
            seconds = after.uptime_seconds - before.uptime_seconds
            total, failed = before.calls_total, before.calls_failed
            known = {one.method: one.calls for one in before.latencies}
        seconds = max(seconds, 0.001)
        return cls(
            after,
            (after.calls_total - total) / seconds,
            (after.calls_failed - failed) / seconds,
            {one.method: (one.calls - known.get(one.method, 0)) / seconds for one in after.latencies},
        )


@click.command("top")
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds between two measurements.",
)
@click.option("--once", is_flag=True, help="Measure for one interval, and exit.")
@with_session
def top_command(session: Session, interval: float, once: bool) -> None:
    """Watch how busy the server is: calls per second, latencies, queues, memory and jobs. Ctrl+C ends it.

    With --json, each measurement is one line.
    """
    is_live = not once and not session.json and sys.stdout.isatty()
    with session.client() as client:
        before = client.server_status()
        while True:
            view, before = _look_again(client, before, interval)
            if is_live:
                click.clear()
            click.echo(_to_line(view) if session.json else _describe(view))
            if once:
                return


def _look_again(client: HaleganadaClient, before: ServerStatus, interval_s: float) -> tuple[View, ServerStatus]:
    """Wait, and look at the server again."""
    time.sleep(interval_s)
    after = client.server_status()
    return View.between(before, after), after


def _to_line(view: View) -> str:
    value = {
        **to_json_value(view.status),
        "calls_per_second": round(view.per_second, 3),
        "calls_failed_per_second": round(view.failed_per_second, 3),
        "calls_per_second_by_method": {method: round(rate, 3) for method, rate in view.by_method.items()},
    }
    return json.dumps(value, ensure_ascii=False)


def _describe(view: View) -> str:
    status = view.status
    memory = "-" if status.memory_bytes is None else format_size(status.memory_bytes)
    jobs = f"{status.jobs_running} running, {status.jobs_queued} queued, {status.jobs_failed} failed"
    rows = [
        ["up", f"{format_duration(status.uptime_seconds)}, {status.device}"],
        ["calls", f"{view.per_second:.1f}/s, {view.failed_per_second:.1f}/s of them failed or refused"],
        ["queue", f"{status.calls_working} working, {status.calls_waiting} waiting, {status.streams_open} streams"],
        ["memory", memory],
        [
            "workspaces",
            f"{status.workspaces_open} of {status.workspaces} open, {format_count(status.samples, 'sample')}",
        ],
        ["pages", f"{status.readers_busy} of {status.readers} readers busy, {status.pages_waiting} waiting"],
        ["jobs", jobs],
        *quota_rows(status.quotas),
    ]
    if status.device_memory_bytes is not None and status.device_memory_limit_bytes is not None:
        used, limit = format_size(status.device_memory_bytes), format_size(status.device_memory_limit_bytes)
        rows.append(["GPU", f"{used} of {limit}"])
    if status.device_note:
        rows.append(["", status.device_note])
    if status.replica is not None:
        rows.append(["database", describe_replica(status.replica)])
    busiest = sorted(status.latencies, key=lambda one: (-view.by_method[one.method], one.method))
    methods = [
        [one.method, f"{view.by_method[one.method]:.1f}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}", f"{one.calls:,}"]
        for one in busiest
    ]
    header = ["method", "calls/s", "p50 ms", "p99 ms", "calls"]
    return f"{format_table(rows)}\n\n{format_table(methods, header, right={1, 2, 3, 4})}"
