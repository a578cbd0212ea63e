"""A call with one request and one response.

The message is received here and not by gRPC, so that a caller who does not send it waits in vain for a short time only,
and so that a call that is refused is never decoded. gRPC's own way to receive one message holds a thread for it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import grpc

from haleganada_server.rpc.access.guard import Guard, Unguarded
from haleganada_server.rpc.caller import share_of

from .lane import Coder, ShortLane, decode
from .record import CallRecord

Behavior = Callable[[Any, grpc.ServicerContext], Any]


class ShortCall:
    """Wraps one method. The result takes bytes and returns bytes."""

    def __init__(
        self,
        handler: Any,
        *,
        lane: ShortLane,
        record: Callable[[grpc.ServicerContext], CallRecord],
        guard: Guard | Unguarded,
        admit: Callable[[], AbstractContextManager[None]],
        turn: Callable[[str, grpc.ServicerContext], AbstractContextManager[None]],
    ) -> None:
        """handler: gRPC's. record: makes the record of a new call. guard: lets callers in. admit: the block within
        which a call counts as in progress. turn: the block within which a call of this caller works, which may be
        refused.
        """
        self.experimental_thread_pool = lane.pool  # where gRPC looks for it
        self._behavior: Behavior = handler.unary_unary
        self._decoder: Coder = handler.request_deserializer
        self._encoder: Coder = handler.response_serializer
        self._enter, self._receive, self._record = lane.enter, lane.arrivals.receive, record
        self._admit, self._turn = admit, turn
        self._guard = guard

    def __call__(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        record = self._record(context)
        try:
            grant = self._guard.identify(context)
            record.caller = grant.identity.name  # so that the log tells of whoever is refused from here on
            self._guard.admit(grant, context)
            caller = share_of(grant.identity, context)
            self._enter(caller)
            message = self._receive(requests, context)
            with self._admit(), self._turn(caller, context):
                if not context.is_active():  # its deadline passed while it waited
                    record.note_cancellation()
                    return b""
                request = decode(self._decoder, message)
                record.begin(request)
                self._guard.check(grant, request, context)
                answer: bytes = self._encoder(self._behavior(request, context))
        except grpc.RpcError:  # the caller is gone
            record.note_cancellation()
            raise
        except Exception as error:
            status = record.note_failure(error)
        else:
            record.note_success()
            return answer
        context.abort_with_status(status)
        raise AssertionError("abort_with_status raises")
