"""docs/reference/limits.md: every limit with its value, from the code that keeps it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from haleganada_client.web.connections import ConnectionLimits
from haleganada_server.config import ServerConfig
from haleganada_server.core import limits
from haleganada_server.core.shares.limits import BOX, BURST_S, BYTES, LAPTOP, MAX_QUEUED_JOBS, limit_names, meaning_of
from haleganada_server.rpc import lanes

from docs.generate.markdown import table

_INTRODUCTION = """\
# Limits

What a server refuses, and from where on. Each refusal names the limit, says what to do, and nothing is half-done."""
_SHARES = f"""\
## Shares

What one caller and one workspace may use. A caller is the owner of a token; without tokens, whoever calls from one
address. `haleganada serve --profile laptop` or `box` chooses a column; without it, the server takes the first where
only this machine can reach it, else the second. Behind a proxy on the same machine, say `--profile box`. Single limits
differ with `--limit NAME=VALUE`, for example `--limit calls-per-second=50 --limit workspace-samples=none`.

Single callers and workspaces get other limits than the rest while the server runs, by [`haleganada
limits`](cli.md#haleganada-limits) on its machine: `haleganada limits set --caller anna calls-per-second=1000`, or
`haleganada limits set --workspace kannada workspace-samples=none`.

Rates are token buckets: who was quiet may make {BURST_S:g} seconds' calls at once. A call too many is refused before
its message is received, with RESOURCE_EXHAUSTED, RATE_EXCEEDED and a time to wait; the Python client and the command
line wait by themselves. Quotas are kept within the commit, so that concurrent batches cannot pass them; `haleganada
stats`, `haleganada top` and the metrics show what is used. Jobs of different callers take turns."""
_PLACES = """\
## Places, memory and disk

Of places of each kind, one connection may hold a quarter, and all connections of a caller three quarters. Callers share
the turns and the places to wait for one equally. Where no flag is named, the value is fixed."""
_CONTRACT = """\
## The contract

Limits of single calls, the same for every server, from
[core/limits.py](../../server/haleganada_server/core/limits.py)."""

# What is bounded, the field of ServerConfig, and the flag of `serve` that sets it.
_SETTINGS = (
    ("calls that work at once", "workers", "--workers"),
    ("calls that wait for their turn", "max_waiting", ""),
    ("calls whose message is on its way", "max_arriving", ""),
    ("seconds that such a message may take", "message_s", ""),
    ("streams of all kinds", "max_streams", ""),
    ("seconds that a stream may stand still", "idle_s", "--idle-limit"),
    ("a stream's least speed, bytes a second", "min_bytes_per_s", ""),
    ("exports, imports, uploads, downloads", "max_transfers", ""),
    ("watchers of jobs, for any time", "max_watchers", ""),
    ("pages that are read at once", "readers", "--readers"),
    ("memory of a reader", "reader_memory", ""),
    ("seconds for a page", "reader_page_s", ""),
    ("memory for workspaces and remembered predictions", "memory_budget", "--memory-budget"),
    ("memory of each GPU for the embedder", "device_memory", "--device-memory"),
    ("files of workspaces that are open", "file_budget", "--file-budget"),
    ("disk for the snapshots and the trash of one workspace", "snapshot_quota", "--snapshot-quota"),
    ("disk for unfinished uploads", "upload_quota", "--upload-quota"),
    ("disk for kept readings and documents on their way", "reading_quota", "--reading-quota"),
    ("disk for the whole data directory", "data_quota", "--data-quota"),
)
_BY_THE_MACHINE = {"readers": "one per core", "file_budget": "an eighth of `ulimit -n`, at most 128"}
_IN_BYTES = {"reader_memory", "memory_budget", "device_memory"}


def render() -> str:
    """Return the page."""
    shares = table(["limit", "laptop", "box", "what it bounds"], list(_list_shares()))
    places = table(["what", "value", "set by"], list(_list_places()))
    return "\n\n".join([_INTRODUCTION, _SHARES, shares, _PLACES, places, _CONTRACT, *_list_contract()])


def _list_shares() -> Iterator[list[str]]:
    for option, name in limit_names().items():
        values = [_describe(name, getattr(profile, name)) for profile in (LAPTOP, BOX)]
        yield [f"`{option}`", *values, meaning_of(name)]


def _list_places() -> Iterator[list[str]]:
    defaults = {field.name: field.default for field in fields(ServerConfig)}
    for what, name, flag in _SETTINGS:
        value = _BY_THE_MACHINE.get(name) or _describe(name, defaults[name])
        yield [what, value, f"`serve {flag}`" if flag else ""]
    page = ConnectionLimits()
    yield ["calls that read a page, or wait for a child process, a data set or a network", f"{lanes.LONG_CALLS}", ""]
    checks = f"{lanes.HEALTH_CHECKS}, each for {lanes.HEALTH_MESSAGE_S:g} s; {lanes.HEALTH_WATCHERS} watchers"
    yield ["health checks", checks, ""]
    yield ["jobs that wait, of all callers", f"{MAX_QUEUED_JOBS}", ""]
    one = int(page.connections * page.address_share)
    speed = f"still for {page.idle_s} s, {page.min_bytes_per_s:,} bytes a second at least"
    yield ["the page's connections", f"{page.connections:,}, {speed}; one address has {one}", ""]


def _list_contract() -> Iterator[str]:
    """Yield a table for each section of the module, whose sections and remarks are its comments."""
    title, rows = "", list[list[str]]()
    for line in Path(inspect.getfile(limits)).read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"# (.+)", line):
            yield from _finish(title, rows)
            title, rows = heading[1], []
        elif (found := re.match(r"([A-Z_, ]+?)(?:: [^=]+)? = ", line)) and title:
            remark = line.partition("  # ")[2]
            rows += [[f"`{name}`", _write(getattr(limits, name)), remark] for name in found[1].split(", ")]
    yield from _finish(title, rows)


def _finish(title: str, rows: list[list[str]]) -> Iterator[str]:
    if rows:
        yield f"### {title}"
        yield table(["limit", "value", ""], rows)


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value) if isinstance(value, limits.Range) else f"{value:,}"


def _describe(name: str, value: Any) -> str:
    """Return a value as people read it. name: of its field."""
    if value is None:
        return "none"
    if name.endswith(("quota", BYTES)) or name in _IN_BYTES:
        return f"{value / 2**30:g} GiB" if value >= 2**30 else f"{value / 2**20:g} MiB"
    return f"{value:,g}" if isinstance(value, float) else f"{value:,}"
