"""The clock of everything that is logged or stored."""

from __future__ import annotations

import time


def now_us() -> int:
    """Return the microseconds since 1970 UTC."""
    return time.time_ns() // 1000
