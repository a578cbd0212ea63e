"""What holds for every process that the server starts beside itself."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_FIRST_TO_GO = "600"  # of 1000


def usable_cores() -> int:
    """Cores that this process may run on, 1 or more."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prefer_as_oom_victim(pid: int) -> None:
    """When memory runs out, the kernel shall take this process and not the server. Linux alone can be told so."""
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST_TO_GO)
