"""Wait for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], timeout_s: float = 60.0, message: str = "") -> T:
    """Return the first true value of `condition`, which is asked every 10 ms. Fail after timeout_s.

    The timeout is long because only a failing test ever waits for it: a busy machine must not fail one.
    """
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, message or f"nothing happened within {timeout_s:g} s"
        time.sleep(0.01)
    return found
