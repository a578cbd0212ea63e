"""Wait for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None], timeout_s: float = 60.0, message: str = "", first_s: float = 0.002
) -> T:
    """Return the first true value of `condition`. Fail after timeout_s.

    It is asked again after a tenth of the time waited so far, first_s at least and 0.1 s at most: whoever asks all the
    time takes the processor from what is waited for. The timeout is long because only a failing test ever waits for it:
    a busy machine must not fail one.
    """
    start = time.monotonic()
    while not (found := condition()):
        waited_s = time.monotonic() - start
        assert waited_s < timeout_s, message or f"nothing happened within {timeout_s:g} s"
        time.sleep(min(max(waited_s / 10, first_s), 0.1))
    return found
