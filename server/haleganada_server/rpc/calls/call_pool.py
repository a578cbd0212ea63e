"""The threads that calls of one kind run on, and which calls there are.

A thread costs little while it waits, so there is one for each call that is let in: a caller who is slow to send holds a
thread, never the turn of somebody who has sent everything. If they share a baton, a call begins when it has it.

The set of open calls has no lock, because each call pays for it twice and all of its operations are single steps.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

import grpc

from haleganada_server.core.baton import Baton, Carrier

_log = logging.getLogger(__name__)
_DONE: Future[Any] = Future()
_DONE.set_result(None)


class OpenCall:
    """A call from its beginning to its end. since: when it began, or began to wait for its message, monotonic clock.
    has_arrived: whether the message is here. waiting: the context of a call that waits for it. peer: the connection,
    once somebody had to know. caller: under which name the call counts for shares, "" = not known yet.
    """

    __slots__ = ("caller", "has_arrived", "peer", "since", "waiting")

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.has_arrived = False
        self.waiting: grpc.ServicerContext | None = None
        self.peer = self.caller = ""


class _Job:
    """A call, and what carries it out: a claim to the pool's baton."""

    __slots__ = ("_begin", "call", "work")

    def __init__(self, work: Callable[[], object], begin: Callable[[_Job], None]) -> None:
        """begin: has a job carried out in another thread."""
        self.call, self.work, self._begin = OpenCall(), work, begin

    def go_on(self) -> None:
        """See Claim."""
        self._begin(self)


class CallPool(ThreadPoolExecutor):
    """Threads for calls of one kind, as many as there may be calls. gRPC accepts no other class, but of its own it only
    uses the name and the shutdown: the thread that has rested for the shortest time takes the next call, without a
    future that nobody would ask, which saves a tenth or more of an empty call.
    """

    def __init__(self, limit: int, name: str, baton: Baton | None = None) -> None:
        """name: of the threads. baton: what they share; None = they run beside each other."""
        super().__init__(limit)
        self._baton = baton
        self._limit, self._name = limit, name
        self._open: set[OpenCall] = set()
        self._resting: list[SimpleQueue[_Job | None]] = []
        self._left: deque[_Job] = deque()
        self._is_shut_down = False
        self._own = threading.local()

    @property
    def is_full(self) -> bool:
        """Whether another call would be one too many."""
        return len(self._open) >= self._limit

    @property
    def count(self) -> int:
        """How many calls there are."""
        return len(self._open)

    @property
    def own_call(self) -> OpenCall:
        """The call that this thread carries out."""
        call: OpenCall = self._own.call
        return call

    def is_own(self, call: OpenCall) -> bool:
        """Return whether this thread carries out a call."""
        return getattr(self._own, "call", None) is call

    def list_calls(self) -> list[OpenCall]:
        """Return all calls, in no order."""
        return list(self._open)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Carry out a call in a thread. Return a future that is done already and knows nothing of the call."""
        job = _Job(partial(fn, *args, **kwargs), self._begin)
        self._open.add(job.call)
        if self._baton is None or self._baton.take(job):
            self._begin(job)
        return _DONE

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads that rest now, and the others after their calls. Nothing is waited for or cancelled."""
        del wait, cancel_futures
        self._is_shut_down = True
        while self._resting:
            with suppress(IndexError):  # another thread that ends took the last
                self._resting.pop().put(None)

    def _begin(self, job: _Job) -> None:
        """Let a thread that rests, or a new one, carry out a call."""
        try:
            inbox = self._resting.pop()
        except IndexError:
            inbox = SimpleQueue()
            try:
                threading.Thread(target=self._work, args=(inbox,), name=self._name, daemon=True).start()
            except RuntimeError:  # the machine has no more; whoever is done with a call takes this one, too
                self._left.append(job)
                self._begin_left()
                return
        inbox.put(job)

    def _begin_left(self) -> None:
        """Let threads that rest carry out the calls for which none could be started."""
        while self._left:
            try:
                inbox = self._resting.pop()
            except IndexError:
                return
            try:
                inbox.put(self._left.popleft())
            except IndexError:  # another thread took it
                self._resting.append(inbox)

    def _work(self, inbox: SimpleQueue[_Job | None]) -> None:
        """Carry out calls, one after another, until None comes."""
        while (job := inbox.get()) is not None:
            while job is not None:
                job = self._carry_out(job)
            self._resting.append(inbox)
            self._begin_left()
            if self._is_shut_down:
                self.shutdown()

    def _carry_out(self, job: _Job) -> _Job | None:
        """Carry out a call. Return the next one, if it is for this thread."""
        carrier = Carrier(self._baton, job) if self._baton is not None else None
        self._own.call = job.call
        try:
            job.work()
        except Exception:  # gRPC catches all of a call's, so it is one of its own
            _log.exception("a call failed")
        finally:
            self._open.discard(job.call)
            following = carrier.end() if carrier is not None else None
        if following is None or isinstance(following, _Job):
            return following
        following.go_on()
        return None


class InlinePool(ThreadPoolExecutor):
    """Runs a call at once in the thread that hands it over, which is gRPC's own: for what needs no time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See concurrent.futures.Executor.submit."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
