"""Traces of calls, as a collector of OpenTelemetry gets them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr

from tests.conftest import StartServer
from tests.contract.drawings import cross

pytest.importorskip(
    "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", reason="the extra tracing is not installed"
)
messages: Any = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
services: Any = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc")

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
METADATA = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("x-request-id", "ours"))


class Collector:
    """Takes spans."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:
        del context
        for resource in request.resource_spans:
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return messages.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    """A collector, and its address."""
    taking, server = Collector(), grpc.server(ThreadPoolExecutor(2))
    services.add_TraceServiceServicer_to_server(taking, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield taking, f"http://127.0.0.1:{port}"
    server.stop(0).wait()


def test_a_call_is_a_span_of_its_callers_trace(start_server: StartServer, collector: tuple[Collector, str]) -> None:
    taking, address = collector
    server = start_server(trace=address)
    server.ocr.Train(ocr.TrainRequest(label="a-secret-label", glyph=cross()), metadata=METADATA)
    with pytest.raises(grpc.RpcError):
        server.ocr.Predict(ocr.PredictRequest(workspace="nowhere", glyph=cross()), metadata=METADATA)
    server.stop()  # which sends the rest
    ours = [span for span in taking.spans if span.trace_id.hex() == TRACE]
    by_name = {span.name: span for span in ours}
    call = by_name["Train"]
    assert call.parent_span_id.hex() == PARENT
    assert {by_name[part].parent_span_id for part in ("embed", "commit")} == {call.span_id}
    told = {attribute.key: attribute.value.string_value for attribute in call.attributes}
    assert (told["rpc.response.status_code"], told["haleganada.call_id"]) == ("OK", "ours")
    refused = {one.key: one.value.string_value for one in by_name["Predict"].attributes}
    assert refused["rpc.response.status_code"] == "NOT_FOUND"
    assert not any(b"secret" in span.SerializeToString() for span in taking.spans)


def test_calls_without_a_parent_have_traces_of_their_own(
    start_server: StartServer, collector: tuple[Collector, str]
) -> None:
    taking, address = collector
    server = start_server(trace=address)
    for _ in range(3):
        server.ocr.Predict(ocr.PredictRequest(glyph=cross()))
    server.stop()
    calls = [span for span in taking.spans if span.name == "Predict"]
    assert len({span.trace_id for span in calls}) == len(calls) == 3
    assert not any(span.parent_span_id for span in calls)


def test_nothing_of_it_is_imported_without_being_asked_for() -> None:
    program = (
        "import sys, haleganada_server.serve; print(sum(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout == "0\n"
