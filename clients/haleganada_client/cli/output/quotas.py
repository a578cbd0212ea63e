"""Quotas as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from haleganada_client.cli.formatting import format_percent, format_size
from haleganada_client.types import Quota

_IN_BYTES = ("bytes", "quota")


def quota_rows(quotas: Sequence[Quota]) -> list[list[str]]:
    """Return a row for each quota: its name, and what is used of it."""
    return [[quota.name, _describe(quota)] for quota in quotas]


def _describe(quota: Quota) -> str:
    used, limit = (
        (format_size(quota.used), format_size(quota.limit))
        if quota.name.endswith(_IN_BYTES)
        else (f"{quota.used:,}", f"{quota.limit:,}")
    )
    return f"{used} of {limit} ({format_percent(quota.used / quota.limit)})"
