"""Traces for OpenTelemetry: a span for each call, and within it for encoding, commits and pages. This module is
imported only by a server that is told to trace; it needs the extra `tracing`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PARENTS = TraceContextTextMapPropagator()
_NO_SPAN = nullcontext()
_OK = "OK"


class Tracing:
    """Makes spans and sends them to a collector, in the background. close() it once."""

    def __init__(self, endpoint: str, exporter: SpanExporter | None = None) -> None:
        """endpoint: http:// or https:// address of a collector that speaks OTLP over gRPC. exporter: used instead."""
        self._provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "haleganada"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter(endpoint=endpoint)))
        self._tracer = self._provider.get_tracer("haleganada")

    def begin_call(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> CallSpan:
        """Begin the span of the call that this thread carries out, below that of the caller's traceparent."""
        known = {key: value for key, value in metadata if isinstance(value, str)}
        return CallSpan(self._tracer.start_span(method, _PARENTS.extract(known), trace.SpanKind.SERVER))

    def span(self, name: str) -> AbstractContextManager[object]:
        """Return a block that is a span of the call of this thread; outside of calls nothing is traced."""
        if not trace.get_current_span().get_span_context().is_valid:
            return _NO_SPAN
        span: AbstractContextManager[object] = self._tracer.start_as_current_span(name)
        return span

    def close(self) -> None:
        """Send what has not been sent yet."""
        self._provider.shutdown()


class CallSpan:
    """The span of one call, which another thread may end."""

    def __init__(self, span: trace.Span) -> None:
        self._span, self._thread = span, threading.get_ident()
        self._token = context.attach(trace.set_span_in_context(span))

    def end(self, code: str, call_id: str) -> None:
        """The call is over. code: the name of gRPC's."""
        self._span.set_attributes(
            {"rpc.system": "grpc", "rpc.response.status_code": code, "haleganada.call_id": call_id}
        )
        if code != _OK:
            self._span.set_status(trace.StatusCode.ERROR, code)
        self._span.end()
        if threading.get_ident() == self._thread:  # else the next call of that thread begins with a context of its own
            context.detach(self._token)
