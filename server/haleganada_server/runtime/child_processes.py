"""What all child processes of the server share."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_OOM_SCORE_ADJUSTMENT = "600"  # of 1000


def usable_cores() -> int:
    """Return the number of cores that this process may run on, 1 or more."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prefer_as_oom_victim(pid: int) -> None:
    """Make the kernel kill this process instead of the server when memory runs out. Only Linux supports that."""
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_OOM_SCORE_ADJUSTMENT)
