"""The workspace that a call is about, sent along so that a proxy before several servers can send all calls about one
workspace to the same of them, where it is in memory. No answer depends on it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import quote

METADATA_KEY = "haleganada-workspace"


def make_metadata(request: Any, workspace: str) -> tuple[tuple[str, str], ...]:
    """Return what a call sends along. workspace: the client's own, for a request that names none; so jobs, data sets
    and readings of one client are found where they were made.
    """
    return ((METADATA_KEY, _encode(getattr(request, "workspace", workspace) or "default")),)


@lru_cache(256)
def _encode(workspace: str) -> str:
    """Return a name in ASCII, which metadata has to be."""
    return quote(workspace, safe="")
