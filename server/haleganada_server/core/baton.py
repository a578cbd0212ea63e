"""One call at a time runs Python; who waits for something passes the baton on.

Python lets one thread run at a time, and threads that want to run get their chance one after another. gRPC takes all
events of calls in one such thread, which needs several chances for each call: behind a dozen busy threads it falls
seconds behind what arrives, and the server refuses too late what it cannot answer (a convoy: Blasgen, Gray, Mitoma and
Price, The Convoy Phenomenon, 1979). Threads that share a baton pass it from one to the next (Andrews, Concurrent
Programming, 1991), so only one of them is ever in the way.

Who keeps the baton for longer than KEPT_S while others wait loses it, and runs beside the next. So a wait that nobody
thought of costs that time, and a call that computes for long delays the others by no more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Protocol

KEPT_S = 0.01


class Claim(Protocol):
    """A wish to have the baton."""

    def go_on(self) -> None:
        """Go on with what needs the baton, in another thread than this one. Raises nothing: who calls it is anybody."""


class Baton:
    """Safe from any thread. start() lets it be taken from those who keep it for too long; stop() that once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: Claim | None = None
        self._claims: deque[Claim] = deque()
        self._passed = 0
        self._is_wanted, self._is_stopped = threading.Event(), False
        self._watch = threading.Thread(target=self._take_from_slow_holders, name="baton", daemon=True)

    def start(self) -> None:
        """Begin to watch how long the baton is kept."""
        self._watch.start()

    def stop(self) -> None:
        """End the watch. Calls may go on."""
        with self._lock:
            self._is_stopped = True
            self._is_wanted.set()
        if self._watch.is_alive():
            self._watch.join()

    def take(self, claim: Claim) -> bool:
        """Return whether the baton is free, and the claim has it now. Otherwise go_on is called when it has."""
        with self._lock:
            if self._holder is None:
                self._holder = claim
                return True
            self._claims.append(claim)
            if not self._is_wanted.is_set():
                self._is_wanted.set()
            return False

    def pass_on(self, claim: Claim) -> Claim | None:
        """End a claim. Return who has the baton next, and is to go on; None if nobody, or if it had been taken away."""
        with self._lock:
            return self._pass_to_next() if self._holder is claim else None

    def _pass_to_next(self) -> Claim | None:
        self._passed += 1
        self._holder = self._claims.popleft() if self._claims else None
        return self._holder

    def _take_from_slow_holders(self) -> None:
        seen = -1
        while self._is_wanted.wait() and not self._is_stopped:
            time.sleep(KEPT_S)
            seen = self._look(seen)

    def _look(self, seen: int) -> int:
        """Take the baton from who has had it since it was seen after so many hand-overs; return how many there were.
        What is done here is not in the loop that calls it, which would keep the last claim, and its call, while it
        waits.
        """
        taken = None
        with self._lock:
            if not self._claims and not self._is_stopped:
                self._is_wanted.clear()
            elif self._claims and self._passed == seen:
                taken = self._pass_to_next()
            passed = self._passed
        if taken is not None:
            taken.go_on()
        return passed


class Carrier:
    """A thread's hold on a baton, from the claim that it has it by. A thread makes it, uses it alone, and ends it."""

    __slots__ = ("_baton", "_claim", "_down")

    def __init__(self, baton: Baton, claim: Claim) -> None:
        self._baton, self._claim = baton, claim
        self._down = 0
        _own.carrier = self

    def end(self) -> Claim | None:
        """Have nothing to do with the baton any longer. Return who is to go on."""
        _own.carrier = None
        return self._baton.pass_on(self._claim)

    def set_down(self) -> None:
        """Let others have the baton, until pick_up() is called as often."""
        self._down += 1
        if self._down == 1 and (claim := self._baton.pass_on(self._claim)) is not None:
            claim.go_on()

    def pick_up(self) -> None:
        """Wait for the baton."""
        self._down -= 1
        if not self._down:
            self._claim = wait = _Wait()
            if not self._baton.take(wait):
                wait.over.acquire()


class _Wait:
    """The claim of a thread that waits for the baton."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over = threading.Lock()
        self.over.acquire()

    def go_on(self) -> None:
        self.over.release()


class _Own(threading.local):
    carrier: Carrier | None = None


class _WithoutBaton:
    """A block in which a thread has no baton. The same object serves all, since it has no state."""

    __slots__ = ()

    def __enter__(self) -> None:
        if (carrier := _own.carrier) is not None:
            carrier.set_down()

    def __exit__(self, *_: object) -> None:
        if (carrier := _own.carrier) is not None:
            carrier.pick_up()


class Lock(Protocol):
    """A lock or a semaphore of threading."""

    def acquire(self, blocking: bool = True) -> bool: ...

    def release(self) -> None: ...


class locked:  # noqa: N801  used as a function
    """A block with a lock, which is waited for without the baton."""

    __slots__ = ("_lock",)

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        acquire(self._lock)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def without_baton() -> _WithoutBaton:
    """Return a block that waits for something, or computes without Python: other calls run meanwhile. Threads that
    share no baton may use it, too.
    """
    return _WITHOUT_BATON


def acquire(lock: Lock) -> None:
    """Acquire a lock, and wait for it without the baton."""
    if not lock.acquire(blocking=False):
        with _WITHOUT_BATON:
            lock.acquire()


_own = _Own()
_WITHOUT_BATON = _WithoutBaton()
