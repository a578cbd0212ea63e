"""Wrong tokens: how many of them an address may show to the page, which the server sees all come from the page."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from haleganada_client.errors import Exhausted, NotAllowed
from haleganada_client.web.addresses import network_of

from .ports import MAX_ADDRESSES, MAX_TRIES, TRIES_S

_TURNS = 64  # addresses whose hashes agree share one


class Tries:
    """The wrong tokens of all addresses. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = [threading.Lock() for _ in range(_TURNS)]
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Try a token in the block, which counts as a wrong one if the block raises NotAllowed. An address has one try
        at a time. Raises Exhausted for an address with too many wrong ones.
        """
        source = network_of(address)
        with self._turns[hash(source) % _TURNS]:
            self._require_patience(source)
            try:
                yield
            except NotAllowed:
                self._note_failure(source)
                raise

    def _require_patience(self, source: str) -> None:
        now = time.monotonic()
        with self._lock:
            failures = self._failures.get(source, deque())
            while failures and failures[0] <= now - TRIES_S:
                failures.popleft()
            if len(failures) < MAX_TRIES:
                return
            wait_s = failures[0] + TRIES_S - now
        raise too_many_tries(wait_s)

    def _note_failure(self, source: str) -> None:
        with self._lock:
            self._failures.setdefault(source, deque()).append(time.monotonic())
            self._failures.move_to_end(source)
            while len(self._failures) > MAX_ADDRESSES:
                self._failures.popitem(last=False)


def too_many_tries(wait_s: float) -> Exhausted:
    """Return the error for an address with too many wrong tokens. wait_s: until it may try again."""
    seconds = math.ceil(wait_s)
    return Exhausted(
        f"too many wrong tokens came from your address; try again in {seconds} s", "TOO_MANY_TRIES", "", seconds
    )
