"""What happens around every call of the contract: admission, errors to statuses, a line of log, latency.

Servicers only raise; nothing else in the server ends a call with an error. Health and reflection pass untouched.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from grpc_status import rpc_status

from haleganada_server.core.errors import HaleganadaError

from .admission import Admission
from .errors import code_of, status_of
from .metrics import Latencies

Behavior = Callable[[Any, grpc.ServicerContext], Any]

_OURS = "/haleganada."
_log = logging.getLogger(__name__)


class CallInterceptor(grpc.ServerInterceptor):
    """Wraps the handlers of the contract's services."""

    def __init__(self, admission: Admission, latencies: Latencies) -> None:
        self._admission = admission
        self._latencies = latencies

    def intercept_service(self, continuation: Callable[..., Any], handler_call_details: Any) -> Any:
        """Return the wrapped handler of a call; None for a method that does not exist."""
        handler = continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(_OURS):
            return handler
        method = handler_call_details.method.rpartition("/")[2]
        coders = (handler.request_deserializer, handler.response_serializer)
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._one(method, handler.unary_unary), *coders)
        if handler.stream_unary:
            return grpc.stream_unary_rpc_method_handler(self._one(method, handler.stream_unary), *coders)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(self._many(method, handler.unary_stream), *coders)
        return grpc.stream_stream_rpc_method_handler(self._many(method, handler.stream_stream), *coders)

    def _one(self, method: str, behavior: Behavior) -> Behavior:
        """Wrap a method that returns one response."""

        def call(request: Any, context: grpc.ServicerContext) -> Any:
            record = _Record(method, request, self._latencies)
            try:
                with self._admission.one():
                    answer = behavior(request, context)
            except grpc.RpcError:  # raised by a stream of requests whose client is gone
                record.cancelled()
                raise
            except Exception as error:
                failure = error
            else:
                record.succeeded()
                return answer
            return _abort(context, record, failure)

        return call

    def _many(self, method: str, behavior: Behavior) -> Behavior:
        """Wrap a method that streams responses."""

        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            record = _Record(method, request, self._latencies)
            try:
                with self._admission.one():
                    yield from behavior(request, context)
            except GeneratorExit:
                record.cancelled()
                raise
            except Exception as error:
                failure = error
            else:
                record.succeeded()
                return
            _abort(context, record, failure)

        return call


def _abort(context: grpc.ServicerContext, record: _Record, error: Exception) -> Any:
    """End the call with the error's status; never returns."""
    call_id = secrets.token_hex(6)
    record.failed(error, call_id)
    return context.abort_with_status(rpc_status.to_status(status_of(error, call_id)))


class _Record:
    """One call, for the log and the latencies."""

    def __init__(self, method: str, request: Any, latencies: Latencies) -> None:
        self._method = method
        self._workspace = getattr(request, "workspace", "")
        self._latencies = latencies
        self._started = time.perf_counter()

    def succeeded(self) -> None:
        _log.info("%s status=OK", self._line())

    def cancelled(self) -> None:
        _log.info("%s status=CANCELLED", self._line())

    def failed(self, error: Exception, call_id: str) -> None:
        status = code_of(error).name
        if isinstance(error, HaleganadaError):
            _log.info("%s status=%s reason=%s call=%s", self._line(), status, error.reason, call_id)
        else:
            _log.error("%s status=%s call=%s", self._line(), status, call_id, exc_info=error)

    def _line(self) -> str:
        milliseconds = (time.perf_counter() - self._started) * 1000
        self._latencies.add(self._method, milliseconds)
        workspace = json.dumps(self._workspace[:64] or "default", ensure_ascii=False)
        return f"method={self._method} workspace={workspace} ms={milliseconds:.2f}"
