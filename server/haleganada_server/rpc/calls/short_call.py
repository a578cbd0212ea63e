"""A call with one request and one response.

The message is received here and not by gRPC, so that a caller who does not send it waits in vain for a short time only,
and so that a call that is refused is never decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import grpc

from haleganada_server.core.errors import InvalidInput

from .lane import Coder, Lane, decode
from .record import CallRecord

Behavior = Callable[[Any, grpc.ServicerContext], Any]


class ShortCall:
    """Wraps one method. The result takes bytes and returns bytes."""

    def __init__(
        self,
        handler: Any,
        *,
        lane: Lane,
        record: Callable[[], CallRecord],
        admit: Callable[[], AbstractContextManager[None]],
        turn: Callable[[grpc.ServicerContext], AbstractContextManager[None]],
    ) -> None:
        """handler: gRPC's. record: makes the record of a new call. admit: the block within which a call counts as in
        progress. turn: the block within which it works, which may be refused.
        """
        self.experimental_thread_pool = lane.pool  # where gRPC looks for it
        self._behavior: Behavior = handler.unary_unary
        self._decoder: Coder = handler.request_deserializer
        self._encoder: Coder = handler.response_serializer
        self._lane, self._record, self._admit, self._turn = lane, record, admit, turn

    def __call__(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        record = self._record()
        try:
            message = receive_one(requests, context, self._lane)
            self._lane.pool.note_arrival()
            with self._admit(), self._turn(context):
                if not context.is_active():  # its deadline passed while it waited
                    record.cancelled()
                    return b""
                request = decode(self._decoder, message)
                record.begin(request)
                answer: bytes = self._encoder(self._behavior(request, context))
        except grpc.RpcError:  # the caller is gone
            record.cancelled()
            raise
        except Exception as error:
            status = record.failed(error)
        else:
            record.succeeded()
            return answer
        context.abort_with_status(status)
        raise AssertionError("abort_with_status raises")


def receive_one(requests: Iterator[bytes], context: grpc.ServicerContext, lane: Lane) -> bytes:
    """Return the message of a call. Raises Exhausted for a caller who has too many calls on the way, InvalidInput for
    one who sends none; who is too slow is cut off.
    """
    with lane.places.one(context), lane.watchdog.waiting(lane.patience(context.cancel)):
        message = next(requests, None)
    if message is None:
        raise InvalidInput("request", "is missing; send one message")
    return message
