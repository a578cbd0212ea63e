"""Who gives up, and why: a caller that is gone, or a deadline that has passed."""

from __future__ import annotations

import math

import pytest
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.errors import Cancelled, DeadlineExceeded, HaleganadaError, Unavailable


@pytest.mark.parametrize(
    ("active", "left", "expected"),
    [
        (True, math.inf, None),
        (True, 0.001, None),
        (True, 0.0, DeadlineExceeded),
        (False, 0.0, DeadlineExceeded),
        (False, 0.2, DeadlineExceeded),  # it went away because of its deadline, which its own clock reached first
        (False, 5.0, Cancelled),
        (False, math.inf, Cancelled),
    ],
)
def test_what_ends_the_work(active: bool, left: float, expected: type[HaleganadaError] | None) -> None:
    cancellation = Cancellation(lambda: active, lambda: left)
    if expected is None:
        cancellation.check()
    else:
        with pytest.raises(expected):
            cancellation.check()


def test_a_server_that_has_no_time_ends_it_too() -> None:
    def require_time() -> None:
        raise Unavailable("the server is stopping; repeat the call")

    NEVER.check()
    with pytest.raises(Unavailable):
        Cancellation(lambda: True, lambda: math.inf, require_time).check()
