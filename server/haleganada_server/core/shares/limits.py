"""The limits of shares, each defined once: its name, its defaults for a laptop and for a box that a group shares, and
what it bounds. docs/reference/limits.md is made from this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

BURST_S = 10.0
"""Seconds: who was quiet may make so many seconds' calls at once."""
MAX_QUEUED_JOBS = 100
"""Of all callers together."""
BYTES, PER_SECOND = "bytes", "per_second"
"""How the names end of limits that are not simply numbers of things."""


class Scope(Enum):
    """Whom a limit bounds: each caller, each workspace, or all together."""

    CALLER = "callers"
    WORKSPACE = "workspaces"
    SERVER = "server"


def _limit(scope: Scope, laptop: float | None, box: float | None, meaning: str) -> Any:
    """Return a field. laptop, box: its defaults, None = no limit. meaning: what it bounds, and what it is there for."""
    return field(default=laptop, metadata={"scope": scope, "box": box, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLimits:
    """None = no limit. The defaults are those of a laptop. A caller is the owner of a token; without tokens, whoever
    calls from one address.
    """

    calls_per_second: float | None = _limit(
        Scope.CALLER,
        None,
        200.0,
        "Calls of one caller each second; a PredictBatch counts once for each drawing.",
    )
    taught_per_second: float | None = _limit(
        Scope.CALLER,
        None,
        200.0,
        "Calls of one caller that change a workspace; a TrainBatch counts once for each drawing.",
    )
    long_calls_per_second: float | None = _limit(
        Scope.CALLER,
        None,
        5.0,
        "Calls of one caller that take long: documents, page images, jobs, streams of all kinds.",
    )
    queued_jobs: int | None = _limit(
        Scope.CALLER,
        MAX_QUEUED_JOBS,
        10,
        "Jobs of one caller that wait; all together have 100.",
    )
    workspaces: int | None = _limit(Scope.SERVER, None, 1_000, "Workspaces of the server.")
    workspace_samples: int | None = _limit(
        Scope.WORKSPACE,
        None,
        200_000,
        "Samples of one workspace; forgotten ones do not count.",
    )
    workspace_labels: int | None = _limit(Scope.WORKSPACE, None, 20_000, "Labels of one workspace that have a sample.")
    workspace_bytes: int | None = _limit(
        Scope.WORKSPACE,
        None,
        2 * 2**30,
        "Disk for one workspace, without its snapshots, which have a quota of their own.",
    )


LAPTOP = ShareLimits()
BOX = ShareLimits(**{one.name: one.metadata["box"] for one in fields(ShareLimits)})
PROFILES: Mapping[str, ShareLimits] = {"laptop": LAPTOP, "box": BOX}


def limit_names(scope: Scope | None = None) -> Mapping[str, str]:
    """Return the limits by the names under which administrators set them, each with the name of its field. scope: only
    those of this one.
    """
    found = (one.name for one in fields(ShareLimits) if scope in (None, one.metadata["scope"]))
    return {to_option(name): name for name in found}


def scope_of(name: str) -> Scope:
    """Return whom a limit bounds. name: of its field."""
    return next(Scope(one.metadata["scope"]) for one in fields(ShareLimits) if one.name == name)


def meaning_of(name: str) -> str:
    """Return what a limit bounds. name: of its field."""
    return next(str(one.metadata["meaning"]) for one in fields(ShareLimits) if one.name == name)


def to_option(name: str) -> str:
    """Return the name under which administrators set a limit. name: of its field."""
    return name.replace("_", "-")
