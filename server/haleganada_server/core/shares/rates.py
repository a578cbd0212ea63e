"""How many calls each caller may make: token buckets, one for each caller and kind of call.

A bucket is kept as the moment at which it will be full again (the generic cell rate algorithm, ITU-T I.371, 2004), so
that nothing has to refill it: a call moves that moment by what it costs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted

from .effective import EffectiveLimits
from .limits import BURST_S, to_option

_MOST_CALLERS = 4096  # that are remembered before those are dropped whose buckets are full


class CallKind(Enum):
    """Calls that are counted together. The value is the field of ShareLimits."""

    SHORT = "calls_per_second"
    TEACHING = "taught_per_second"
    LONG = "long_calls_per_second"


class Rate:
    """The buckets of all callers for one kind of call. Safe from any thread."""

    def __init__(self, kind: CallKind, limits: EffectiveLimits, clock: Callable[[], float] = time.monotonic) -> None:
        """limits: how many calls a second each caller may make. clock: returns seconds."""
        self._kind, self._field, self._limits, self._clock = kind, kind.value, limits, clock
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}

    @property
    def is_bounded(self) -> bool:
        """Whether there is a caller whose calls have to be counted."""
        return self._limits.is_bounded(self._field)

    def take(self, caller: str) -> None:
        """Count a call. Raises Exhausted, having counted nothing, if the caller's bucket is empty."""
        per_second = self._find_limit(caller)
        if per_second is None:
            return
        now, cost_s = self._clock(), 1 / per_second
        with self._lock:
            full_at = self._full_at.get(caller, now)
            after = (full_at if full_at > now else now) + cost_s
            if after - now > BURST_S + cost_s / 2:  # which leaves room for rounding
                raise self._refuse(per_second, after - now - BURST_S)
            if len(self._full_at) >= _MOST_CALLERS and caller not in self._full_at:
                self._forget_full(now)
            self._full_at[caller] = after

    def charge(self, caller: str, amount: int) -> None:
        """Count so many more, of a call that was let in. The bucket may owe them: the next calls wait for it."""
        per_second = self._find_limit(caller)
        if per_second is None:
            return
        now = self._clock()
        with self._lock:
            self._full_at[caller] = max(self._full_at.get(caller, now), now) + amount / per_second

    def _find_limit(self, caller: str) -> float | None:
        found: float | None = getattr(self._limits.of_caller(caller), self._field)
        return found

    def _refuse(self, per_second: float, wait_s: float) -> Exhausted:
        name = to_option(self._field)
        return Exhausted(
            f"your share of this server is used up, {per_second:g} {_COUNTED[self._kind]} a second; repeat the call in "
            f"{max(wait_s, 0.1):.1f} s, or ask the server's administrator for more (haleganada limits set --caller "
            f"NAME {name}=N)",
            Reason.RATE_EXCEEDED,
            wait_s,
        )

    def _forget_full(self, now: float) -> None:
        """Forget the callers whose buckets are full, which is as if they had never called."""
        self._full_at = {caller: full_at for caller, full_at in self._full_at.items() if full_at > now}


_COUNTED = {
    CallKind.SHORT: "calls or drawings to recognize",
    CallKind.TEACHING: "changes or drawings to teach",
    CallKind.LONG: "calls that take long",
}


class Rates:
    """The rates of a server."""

    def __init__(self, limits: EffectiveLimits) -> None:
        self._rates = {kind: Rate(kind, limits) for kind in CallKind}

    def find(self, kind: CallKind) -> Rate:
        """Return the rate of a kind of call."""
        return self._rates[kind]
