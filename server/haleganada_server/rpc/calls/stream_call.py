"""A call that streams requests or responses, or both.

gRPC's callback form of a stream is used, because only that lets another thread, the watchdog's, end a call with a
status while its own thread waits for the caller.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import grpc

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import HaleganadaError, InvalidInput, Unavailable
from haleganada_server.rpc.access.guard import Guard, Unguarded
from haleganada_server.rpc.access.open_streams import OpenStreams

from .lane import CallerGone, Coder, StreamLane, decode
from .patience import Patience
from .record import CallRecord

Send = Callable[[bytes | None], None]
Behavior = Callable[[Any, grpc.ServicerContext], Any]

_LAST_WORDS_S = 0.9  # for the status of a call that both waits for its caller to send and to read


class StreamCall:
    """Wraps one method. The result takes and sends bytes."""

    experimental_non_blocking = True  # gRPC then passes the callback

    def __init__(
        self,
        handler: Any,
        *,
        lane: StreamLane,
        record: Callable[[grpc.ServicerContext], CallRecord],
        guard: Guard | Unguarded,
        open_streams: OpenStreams,
        admit: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """handler: gRPC's, of a method that streams. record, guard, admit: see ShortCall. open_streams: ends the call
        when its caller's token is revoked.
        """
        self.experimental_thread_pool = lane.pool
        self._behavior: Behavior = handler.unary_stream or handler.stream_unary or handler.stream_stream
        self._decoder: Coder = handler.request_deserializer
        self._encoder: Coder = handler.response_serializer
        self._streams_requests, self._streams_responses = handler.request_streaming, handler.response_streaming
        self._lane, self._record, self._admit = lane, record, admit
        self._guard, self._open_streams = guard, open_streams

    def __call__(self, requests: Iterator[bytes], context: grpc.ServicerContext, send: Send) -> None:
        record = self._record(context)
        ending = _Ending(context, send, record)

        def give_up() -> None:
            ending.give_up(self._explain_end())

        try:
            grant = self._guard.identify(context)
            record.caller = grant.identity.name  # so that the log tells of whoever is refused from here on
            self._guard.admit(grant, context)
            check = partial(self._guard.check, grant, context=context)
            patience = self._lane.patience(give_up)
            with self._lane.places.one(context), self._admit(), self._open_streams.one(grant, ending.give_up):
                received = Requests(requests, context, self._decoder, self._lane, patience, check)
                request = received if self._streams_requests else received.only()
                record.begin(request)
                self._send_all(self._behavior(request, context), context, send, self._lane.patience(give_up))
        except grpc.RpcError:  # the caller is gone
            ending.cancel()
        except Exception as error:
            ending.fail(error)
        else:
            ending.finish()

    def _explain_end(self) -> HaleganadaError:
        """Return why the server waits for the caller no longer."""
        if self._lane.watchdog.is_releasing:
            return Unavailable(
                "the server stopped before this had all arrived, so nothing of it was done; repeat the call"
            )
        return _too_slow(self._lane.patience_s)

    def _send_all(self, answer: Any, context: grpc.ServicerContext, send: Send, patience: Patience) -> None:
        responses = answer if self._streams_responses else iter((answer,))
        try:
            for response in responses:
                data = self._encoder(response)
                with self._lane.watchdog.waiting(patience):
                    send(data)
                patience.earn(len(data))
                if not context.is_active():
                    raise CallerGone
        finally:
            if hasattr(responses, "close"):
                responses.close()


class Requests:
    """The requests of a stream, for one thread. Raises CallerGone where gRPC would say that there are no more, but the
    call is over.
    """

    def __init__(
        self,
        requests: Iterator[bytes],
        context: grpc.ServicerContext,
        decoder: Coder,
        lane: StreamLane,
        patience: Patience,
        check: Callable[[Any], None],
    ) -> None:
        """check: raises an error for a message that the caller may not send."""
        self._requests, self._context, self._decoder, self._check = requests, context, decoder, check
        self._lane, self._patience = lane, patience

    def __iter__(self) -> Requests:
        return self

    def excuse_while(self, is_busy: Callable[[], bool]) -> None:
        """Wait for the next request with patience that lasts while the server itself has work to do for the caller."""
        self._patience.is_excused = is_busy

    def only(self) -> Any:
        """Return the message of a call that has one. Raises InvalidInput if none comes."""
        for message in self:
            return message
        raise InvalidInput("request", "is missing; send one message")

    def __next__(self) -> Any:
        with self._lane.watchdog.waiting(self._patience):
            data = next(self._requests, None)
        if data is None:
            if not self._context.is_active():
                raise CallerGone
            raise StopIteration
        self._patience.earn(len(data))
        message = decode(self._decoder, data)
        self._check(message)
        return message


class _Ending:
    """Ends a stream once, whoever wants to first: its own thread or the watchdog."""

    def __init__(self, context: grpc.ServicerContext, send: Send, record: CallRecord) -> None:
        self._context, self._send, self._record = context, send, record
        self._lock = threading.Lock()
        self._over = False
        self._over_since = 0.0  # monotonic clock

    def finish(self) -> None:
        """The call was answered."""
        if self._claim():
            self._record.note_success()
            self._send(None)

    def cancel(self) -> None:
        """The caller is gone."""
        if self._claim():
            self._record.note_cancellation()

    def fail(self, error: Exception) -> None:
        """End the call with the error's status."""
        if self._claim():
            self._send_status(self._record.note_failure(error))

    def give_up(self, why: HaleganadaError) -> None:
        """Tell the caller why the call ends; if it does not even read that, cut it off when called again later."""
        if not self._claim():
            if time.monotonic() > self._over_since + _LAST_WORDS_S:
                self._context.cancel()
            return
        self._send_status(self._record.note_refusal(why))

    def _claim(self) -> bool:
        with self._lock:
            over, self._over = self._over, True
            if not over:
                self._over_since = time.monotonic()
        return not over

    def _send_status(self, status: grpc.Status) -> None:
        self._context.set_code(status.code)
        self._context.set_details(status.details)
        self._context.set_trailing_metadata(status.trailing_metadata)
        self._send(None)


def _too_slow(after_s: float) -> HaleganadaError:
    return Unavailable(
        f"this stream stood still for {after_s:g} s, or moved too slowly for longer, so the server ended it; begin it "
        "again, and send and read without pauses",
        Reason.CALLER_IDLE,
    )
