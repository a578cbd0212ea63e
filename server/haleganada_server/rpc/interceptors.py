"""Which lane a call takes, and what refuses it before it costs anything.

Servicers only raise; nothing else in the server ends a call with an error. Health and reflection are neither counted
nor logged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc

from haleganada_server.core.baton import without_baton
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.outcomes import strip_traceback

from .access.guard import Guard, Unguarded
from .access.open_streams import OpenStreams
from .access.rules import LONG_CALLS
from .calls.admission import Admission
from .calls.call_pool import InlinePool
from .calls.health_watch import HealthWatch
from .calls.lane import ShortLane, StreamLane
from .calls.places import Places
from .calls.record import CallRecord
from .calls.short_call import ShortCall
from .calls.stream_call import StreamCall
from .metrics import Latencies

_OURS = "/haleganada."
_HEALTH = "/grpc.health."
_UNANSWERED = "/grpc.health.v1.Health/List"
"""Declared by gRPC's own servicer, which does not have it."""

Guards = Callable[[str], Guard]


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """short: calls with one message each way. streams: all others. health: health checks, which always find a thread.
    health_watchers: places for those who watch the health, which takes no thread. long: places for short calls whose
    work takes long, and which therefore take no turn.
    """

    short: ShortLane
    streams: StreamLane
    health: ShortLane
    health_watchers: Places
    long: Places


class CallInterceptor(grpc.ServerInterceptor):
    """Wraps the handlers of all services."""

    def __init__(
        self, admission: Admission, latencies: Latencies, lanes: Lanes, guards: Guards, open_streams: OpenStreams
    ) -> None:
        """guards: makes the guard of a method, by its full name."""
        self._admission, self._latencies, self._lanes = admission, latencies, lanes
        self._guards, self._open_streams = guards, open_streams
        self._refusals = InlinePool(1)
        self._wrapped: dict[str, tuple[ShortLane | StreamLane, Guard | Unguarded, Any]] = {}

    def intercept_service(self, continuation: Callable[..., Any], handler_call_details: Any) -> Any:
        """Return the wrapped handler of a call; None for a method that does not exist."""
        name = handler_call_details.method
        known = self._wrapped.get(name)
        if known is None:
            handler = continuation(handler_call_details)
            if handler is None or name == _UNANSWERED:
                return None
            known = self._wrapped[name] = self._wrap(name, handler)
        lane, guard, wrapped = known
        try:
            lane.require_room(lambda: guard.guess_caller(handler_call_details.invocation_metadata))
            if name.startswith(_OURS):
                self._admission.require_open()
        except HaleganadaError as error:
            return self._refuse(name, guard, error)
        return wrapped

    def _wrap(self, name: str, handler: Any) -> tuple[ShortLane | StreamLane, Guard | Unguarded, Any]:
        lanes, ours = self._lanes, name.startswith(_OURS)
        record = partial(CallRecord, _method(name), self._latencies if ours else None)
        admit = self._admission.one if ours else nullcontext
        guard = Unguarded() if name.startswith(_HEALTH) else self._guards(name)
        lane = lanes.health if name.startswith(_HEALTH) else lanes.short
        if not (handler.request_streaming or handler.response_streaming):
            turn = _take_place(lanes.long) if _method(name) in LONG_CALLS else lane.turn
            short = ShortCall(handler, lane=lane, record=record, guard=guard, admit=admit, turn=turn)
            return lane, guard, grpc.stream_unary_rpc_method_handler(short)
        if hasattr(handler.unary_stream, "experimental_non_blocking"):
            watch = HealthWatch(handler, lane=lane, watchers=lanes.health_watchers)
            return lane, guard, grpc.stream_stream_rpc_method_handler(watch)
        stream = StreamCall(
            handler, lane=lanes.streams, record=record, guard=guard, open_streams=self._open_streams, admit=admit
        )
        return lanes.streams, guard, grpc.stream_stream_rpc_method_handler(stream)

    def _refuse(self, name: str, guard: Guard | Unguarded, error: HaleganadaError) -> Any:
        """Return a handler that refuses the call in gRPC's own thread, without waiting for its message."""
        latencies = self._latencies if name.startswith(_OURS) else None
        strip_traceback(error)  # or it would keep the frames that it passed

        def refuse(requests: Any, context: grpc.ServicerContext) -> Any:
            del requests
            record = CallRecord(_method(name), latencies, context)
            record.caller = guard.guess_caller(context.invocation_metadata()) or ""
            context.abort_with_status(record.note_refusal(error))

        refuse.experimental_thread_pool = self._refusals  # type: ignore[attr-defined]
        return grpc.stream_unary_rpc_method_handler(refuse)


def _take_place(places: Places) -> Callable[[str, grpc.ServicerContext], AbstractContextManager[None]]:
    @contextmanager
    def take_place(caller: str, context: grpc.ServicerContext) -> Iterator[None]:
        del caller
        with places.one(context), without_baton():
            yield

    return take_place


def _method(name: str) -> str:
    return name.rpartition("/")[2]
