"""Health's Watch: gRPC's own servicer answers it without a thread; only its message has to be waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc

from haleganada_server.rpc.caller import share_of

from .lane import ShortLane, decode
from .places import Places
from .record import CallRecord

Send = Callable[[bytes | None], None]


class HealthWatch:
    """Wraps the method. The result takes and sends bytes."""

    experimental_non_blocking = True  # gRPC then passes the callback

    def __init__(self, handler: Any, *, lane: ShortLane, watchers: Places) -> None:
        """handler: gRPC's, whose behavior is of the callback form. watchers: places that are held while they watch."""
        self.experimental_thread_pool = lane.pool
        self._handler = handler
        self._lane, self._watchers = lane, watchers

    def __call__(self, requests: Iterator[bytes], context: grpc.ServicerContext, send: Send) -> None:
        try:
            message = self._lane.arrivals.receive(requests, context)
            holder = share_of(None, context), context.peer()
            self._watchers.take(*holder)
            if not context.add_callback(lambda: self._watchers.give_back(*holder)):
                self._watchers.give_back(*holder)  # the caller is gone already
                return
            request = decode(self._handler.request_deserializer, message)
        except grpc.RpcError:
            raise
        except Exception as error:
            status = CallRecord("Watch", None, context).note_refusal(error)
        else:
            self._handler.unary_stream(request, context, lambda answer: self._send(send, answer))
            return
        context.abort_with_status(status)

    def _send(self, send: Send, answer: Any) -> None:
        send(None if answer is None else self._handler.response_serializer(answer))
