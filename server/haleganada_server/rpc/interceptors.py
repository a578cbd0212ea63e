"""What surrounds every call: errors become statuses, calls are counted, timed and logged, and none begins while
stopping.

Nothing else calls context.abort, so there is never a question whether an exception came from it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, cast

import grpc
import numpy as np
from grpc_status import rpc_status

from haleganada_server.core.errors import HaleganadaError, Unavailable

from .errors import to_status

_NEWEST = 1024
_OURS = "/haleganada.v1."
_log = logging.getLogger(__name__)

Behaviour = Callable[[Any, grpc.ServicerContext], Any]


class CallMonitor:
    """Times of the newest calls of each method, and whether new calls are let in. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, int] = {}
        self._times_ms: dict[str, deque[float]] = {}
        self.stopping = False

    def record(self, method: str, milliseconds: float) -> None:
        """Note one answered call."""
        with self._lock:
            self._calls[method] = self._calls.get(method, 0) + 1
            self._times_ms.setdefault(method, deque(maxlen=_NEWEST)).append(milliseconds)

    def latencies(self) -> list[tuple[str, int, float, float]]:
        """(method, calls, median ms, 99th percentile ms) of each method, over its newest 1,024 calls."""
        with self._lock:
            times = {method: list(values) for method, values in self._times_ms.items()}
            calls = dict(self._calls)
        return [_quantiles(method, calls[method], values) for method, values in sorted(times.items())]


def _quantiles(method: str, calls: int, times_ms: list[float]) -> tuple[str, int, float, float]:
    median, high = np.percentile(times_ms, [50, 99])
    return method, calls, float(median), float(high)


class CallInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg]  # not generic at run time
    """Wraps the methods of the contract; health and reflection pass through."""

    def __init__(self, monitor: CallMonitor) -> None:
        self._monitor = monitor

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(_OURS):
            return handler
        method = handler_call_details.method.rsplit("/", 1)[1]
        make, behaviour = _shape(handler)
        wrap = self._streaming if handler.response_streaming else self._unary
        return make(wrap(method, behaviour), handler.request_deserializer, handler.response_serializer)

    def _unary(self, method: str, behaviour: Behaviour) -> Behaviour:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            with _Call(method, context, self._monitor):
                return behaviour(request, context)

        return answer

    def _streaming(self, method: str, behaviour: Behaviour) -> Behaviour:
        def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with _Call(method, context, self._monitor):
                yield from behaviour(request, context)

        return answer


class _Call:
    """One call in progress: refuses it while stopping, times it, turns what it raises into a status."""

    def __init__(self, method: str, context: grpc.ServicerContext, monitor: CallMonitor) -> None:
        self._method, self._context, self._monitor = method, context, monitor

    def __enter__(self) -> None:
        self._began = time.perf_counter()
        if self._monitor.stopping:
            self._abort(Unavailable("the server is stopping; repeat the call in a moment"))

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        milliseconds = (time.perf_counter() - self._began) * 1000
        self._monitor.record(self._method, milliseconds)
        if error is None:
            _log.debug("%s ok %.1f ms", self._method, milliseconds)
        elif isinstance(error, Exception) and not isinstance(error, grpc.RpcError):
            self._abort(error)

    def _abort(self, error: Exception) -> None:
        if isinstance(error, HaleganadaError):
            _log.info("%s refused: %s", self._method, error.message)
        else:
            _log.error("%s failed", self._method, exc_info=error)
        self._context.abort_with_status(cast(Any, rpc_status.to_status(to_status(error))))


def _shape(handler: Any) -> tuple[Any, Behaviour]:
    """How to make a handler of the same kind, and what the present one does."""
    if handler.request_streaming and handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler, handler.stream_stream
    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler, handler.stream_unary
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler, handler.unary_stream
    return grpc.unary_unary_rpc_method_handler, handler.unary_unary
