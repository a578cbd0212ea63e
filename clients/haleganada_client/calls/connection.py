"""One connection to one server: a deadline for every call, and retries that cannot teach twice.

Calls are repeated, with the same request_id and until the deadline, if the server is stopping, or if the connection
broke before the answer came. They are not repeated if nobody listens at the address, because people should know that at
once, if the page that was sent has ended the process that read it, and if a repetition would not be safe (call_once).

A call that may take minutes should not wait for minutes until an unreachable server is reported. Before the first such
call, the health check is called with the usual deadline. It is also called, with a short deadline, before a call on a
connection that has been silent for a while: where it is not answered, the call takes a new connection.
"""

from __future__ import annotations

import logging
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

import grpc

from haleganada_client.connection.access import prepare_access
from haleganada_client.connection.config import ClientConfig
from haleganada_client.connection.diagnosis import explain_failure, is_listening
from haleganada_client.errors import (
    NO_SERVER,
    RATE_EXCEEDED,
    READER_FAILED,
    DeadlineExceeded,
    Exhausted,
    FailedPrecondition,
    HaleganadaError,
    Unavailable,
    from_rpc,
)
from haleganada_client.wire import health

from . import call_ids, routing
from .renewable_channel import RenewableChannel

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_SILENCE_S = 30.0  # after which a connection may be gone unnoticed
_PROBE_S = 2.0  # how long it may take to show that it is not; no more than a quarter of a call's time
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_log = logging.getLogger(__name__)
P = ParamSpec("P")
Result = TypeVar("Result")
Stub = TypeVar("Stub")


class Connection(ABC):
    """A channel, and what is common to blocking and asyncio clients: deadlines, retries, errors. Create it after
    forking a process, not before. Whatever is awaited here is done at once in a BlockingConnection.
    """

    channel: RenewableChannel

    def __init__(self, config: ClientConfig) -> None:
        """Raise what prepare_access raises."""
        self.config = config
        self.access = prepare_access(config)
        self.is_closed = False
        self._token = (("authorization", f"Bearer {self.access.token}"),) if self.access.token else ()
        self._reached = False
        self._heard = 0.0  # of the system's clock, which goes on while a laptop sleeps

    def make_metadata(self, request: Any) -> tuple[tuple[str, str], ...]:
        """Return what a call sends along."""
        return (*self._token, *call_ids.make_metadata(), *routing.make_metadata(request, self.config.workspace))

    def make_stub(self, kind: Callable[[Any], Stub]) -> Stub:
        """Return the stub of a service. Raise FailedPrecondition for a closed channel, which gRPC crashes on."""
        if self.is_closed:
            raise _closed_connection()
        return kind(self.channel)

    async def call(self, method: Callable[..., Any], request: Any, min_timeout_s: float = 0) -> Any:
        """Make a call that is safe to repeat: it changes nothing, or its request_id makes the server do it once.

        min_timeout_s: the deadline of a call that may take longer than the configuration allows.
        """
        deadline = time.monotonic() + max(min_timeout_s, self.config.timeout_s)
        attempt = 1
        while True:
            try:
                return await self._invoke(method, request, max(0.001, deadline - time.monotonic()))
            except Exhausted as error:  # who sends more than their share is told when to come back
                pause = error.retry_after_s or _FIRST_PAUSE_S
                if not (self.config.retry and error.reason == RATE_EXCEEDED and time.monotonic() + pause < deadline):
                    raise
                await self.pause(pause)
            except Unavailable as error:
                if error.reason == READER_FAILED or (attempt == 1 and await self._is_gone(error)):
                    raise
                pause = error.retry_after_s or _backoff_s(attempt)
                if not self.config.retry or time.monotonic() + pause > deadline:
                    raise
                await self.pause(pause)
                attempt += 1

    async def call_once(self, method: Callable[..., Any], request: Any, min_timeout_s: float = 0) -> Any:
        """Make a call that is never repeated. request: a message, or an iterator of messages; see call."""
        return await self._invoke(method, request, max(min_timeout_s, self.config.timeout_s))

    async def pages(self, method: Callable[..., Any], request: Any) -> AsyncGenerator[Any, None]:
        """Yield the answers to a call that lists, page by page, each when it is asked for."""
        while True:
            answer = await self.call(method, request)
            yield answer
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def stream(
        self, method: Callable[..., Any], request: Any, min_timeout_s: float = 0
    ) -> AsyncGenerator[Any, None]:
        """Make a call that answers with a stream; never repeat it. Closing the generator cancels the call."""
        timeout_s = max(min_timeout_s, self.config.timeout_s)
        call = None
        try:
            await self._check_reachable(timeout_s)
            request = _Feed(request) if isinstance(request, Iterator) else request
            async with self._explaining(request):
                metadata = self.make_metadata(request)
                call = method(self.send_all(request), timeout=timeout_s, metadata=metadata)
                async for answer in self.receive_all(call):
                    self._note_answer()
                    yield answer
        finally:
            if call is not None:
                call.cancel()

    async def check_health(self, timeout_s: float) -> str:
        """Return SERVING, NOT_SERVING or UNKNOWN. Raise HaleganadaError."""
        async with self._explaining():
            return health.parse(await self.answer(health.make_check(self.channel), b"", timeout_s))

    async def _invoke(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        started = time.monotonic()
        try:
            await self._check_reachable(timeout_s)
            request = _Feed(request) if isinstance(request, Iterator) else request
            async with self._explaining(request):
                left_s = max(0.001, timeout_s - (time.monotonic() - started))
                answer = await self.answer(method, self.send_all(request), left_s)
            self._note_answer()
            return answer
        except DeadlineExceeded:
            self._heard = 0.0  # so that the next call finds out whether the connection is alive
            raise
        finally:
            _log.debug("%s: %.1f ms", type(request).__name__, 1000 * (time.monotonic() - started))

    def _note_answer(self) -> None:
        self._reached, self._heard = True, time.time()

    async def _is_gone(self, error: Unavailable) -> bool:
        """Return whether there is no server, as an error says. gRPC says so for a while after one has come back."""
        if error.reason != NO_SERVER:
            return False
        return not (self._reached and await self.offload(is_listening, self.config.target))

    async def _check_reachable(self, timeout_s: float) -> None:
        """Check before the first call with a longer deadline that the server is there, and before a call after a long
        silence that the connection is. Raise HaleganadaError.
        """
        if self._reached:
            if not 0 <= time.time() - self._heard < _SILENCE_S:
                await self._probe(min(_PROBE_S, timeout_s / 4))
        elif timeout_s > self.config.timeout_s:
            try:
                await self.check_health(self.config.timeout_s)
            except (Unavailable, DeadlineExceeded):
                raise
            except HaleganadaError:  # any other error comes from a server
                if self.is_closed:
                    raise
            self._note_answer()

    async def _probe(self, timeout_s: float) -> None:
        """Take a new connection unless the present one is alive."""
        channel = self.channel.newest
        try:
            await self.check_health(timeout_s)
        except DeadlineExceeded:
            self.channel.renew(channel)
        except HaleganadaError:  # what is wrong is told by the call itself
            return
        else:
            self._note_answer()

    @asynccontextmanager
    async def _explaining(self, request: Any = None) -> AsyncIterator[None]:
        """Turn what gRPC raises in the block into errors of ours, or into that of the iterator of requests."""
        if self.is_closed:
            raise _closed_connection()
        try:
            yield
        except Exception as error:
            if isinstance(request, _Feed) and request.failure is not None:
                raise request.failure from None
            if self.is_closed:  # meanwhile, for which gRPC has several exceptions
                raise _closed_connection() from None
            if isinstance(error, grpc.RpcError):
                raise await self._explain_failure(error) from None
            raise

    async def _explain_failure(self, error: grpc.RpcError) -> HaleganadaError:
        """Return the exception for a failed call. Until the server was reached once, find out what is in its place."""
        kind = from_rpc(error, self.config.target)
        if self._reached or kind.reason not in ("", NO_SERVER) or error.code() not in _UNREACHABLE:
            return kind
        explanation = await self.offload(explain_failure, self.config)
        return Unavailable(explanation, NO_SERVER) if explanation else kind

    @abstractmethod
    async def answer(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        """Make one call and return its answer. Raise what gRPC raises."""

    @abstractmethod
    def send_all(self, request: Any) -> Any:
        """Return a message, or an iterator of messages, as gRPC takes it. Iterators may block."""

    @abstractmethod
    def receive_all(self, call: Any) -> AsyncIterator[Any]:
        """Yield the answers to a call that has begun. Raise what gRPC raises."""

    @abstractmethod
    async def pause(self, seconds: float) -> None:
        """Wait."""

    @abstractmethod
    async def offload(self, function: Callable[P, Result], /, *arguments: P.args, **named: P.kwargs) -> Result:
        """Call a function that may block, for example because it uses files, so that nobody else waits for it."""


class BlockingConnection(Connection):
    """A connection whose coroutines are done when they return, see calls/dual.py. It can be used from any thread."""

    def __init__(self, config: ClientConfig) -> None:
        super().__init__(config)
        self.channel = RenewableChannel(lambda: self.access.open_channel(grpc))

    async def answer(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        return method(request, timeout=timeout_s, metadata=self.make_metadata(request))

    def send_all(self, request: Any) -> Any:
        return request

    async def receive_all(self, call: Any) -> AsyncIterator[Any]:
        for answer in call:
            yield answer

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    async def offload(self, function: Callable[P, Result], /, *arguments: P.args, **named: P.kwargs) -> Result:
        return function(*arguments, **named)

    def close(self) -> None:
        """Close the channel and cancel its calls."""
        self.is_closed = True
        self.channel.close()


class _Feed(Iterator[Any]):
    """An iterator of requests. If it fails, its requests end there, and `failure` says why, which gRPC would not."""

    def __init__(self, requests: Iterator[Any]) -> None:
        self._requests = requests
        self.failure: Exception | None = None

    def __next__(self) -> Any:
        try:
            return next(self._requests)
        except StopIteration:
            raise
        except Exception as error:
            self.failure = error
            raise StopIteration from None


def _closed_connection() -> HaleganadaError:
    return FailedPrecondition("this client is closed; make a new one", "CLIENT_CLOSED")


def _backoff_s(attempt: int) -> float:
    """Return the seconds to wait after an attempt (1, 2, ...): doubling, with jitter to spread many clients."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)
