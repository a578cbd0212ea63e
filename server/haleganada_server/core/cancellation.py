"""Whether somebody still waits for the result of a piece of work. What takes long checks that between its steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .errors import Cancelled, DeadlineExceeded

_CLOCK_DIFFERENCE_S = 0.5
"""A caller whose deadline has passed goes away, a moment before this side's clock has come so far."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The end of the interest in a piece of work. Safe from any thread.

    is_active: returns False once the caller is gone. seconds_left: returns the time until the caller's deadline, 0 when
    it has passed, infinity without one. require_time: raises Unavailable if the server cannot wait for the work.
    caller: whose work it is, by the name that counts for shares; "" = nobody's in particular.
    """

    is_active: Callable[[], bool]
    seconds_left: Callable[[], float]
    require_time: Callable[[], None] = lambda: None
    caller: str = ""

    def check(self) -> None:
        """Raise DeadlineExceeded or Cancelled if nobody waits any longer, Unavailable if the server is about to end."""
        self.require_time()
        is_active, left = self.is_active(), self.seconds_left()
        if left <= (0 if is_active else _CLOCK_DIFFERENCE_S):
            raise DeadlineExceeded()
        if not is_active:
            raise Cancelled()


NEVER = Cancellation(lambda: True, lambda: math.inf)
"""For work that is always completed."""
