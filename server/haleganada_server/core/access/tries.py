"""Wrong tokens: how many of them an address may show before it is refused for a while."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted

_TRIES, _TRIES_S = 20, 60.0  # wrong tokens of one address, and how long each counts
_MAX_ADDRESSES = 10_000  # that are remembered
_TURNS = 64  # addresses whose hashes agree share one


class Tries:
    """The wrong tokens of all addresses. Safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: returns seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._turns = [threading.Lock() for _ in range(_TURNS)]
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def turn(self, address: str) -> AbstractContextManager[object]:
        """Return a block that one caller of an address has at a time, so that many at once cannot show more wrong
        tokens than one after the other. address: "" = nobody waits.
        """
        return self._turns[hash(address) % _TURNS] if address else nullcontext()

    def require(self, address: str) -> None:
        """Raise Exhausted if too many wrong tokens came from an address of late."""
        now = self._clock()
        with self._lock:
            failures = self._failures.get(address)
            while failures and failures[0] <= now - _TRIES_S:
                failures.popleft()
            if not failures or len(failures) < _TRIES:
                return
            wait_s = failures[0] + _TRIES_S - now
        raise Exhausted(
            f"too many wrong tokens came from your address; check the token, and repeat the call in "
            f"{math.ceil(wait_s)} s. Tokens that this server has recognized before are still let in",
            Reason.TOO_MANY_TRIES,
            wait_s,
        )

    def note_failure(self, address: str) -> None:
        """Count a wrong token. address: "" = count nothing."""
        if not address:
            return
        with self._lock:
            self._failures.setdefault(address, deque(maxlen=_TRIES)).append(self._clock())
            self._failures.move_to_end(address)
            while len(self._failures) > _MAX_ADDRESSES:
                self._failures.popitem(last=False)
