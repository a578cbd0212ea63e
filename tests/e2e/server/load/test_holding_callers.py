"""Callers that hold on: idle, slow and too many; everybody else is answered meanwhile."""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc
from haleganada_client import HaleganadaClient

from tests.contract.drawings import cross
from tests.contract.held import unhurried
from tests.contract.refusals import expect_refusal, parse
from tests.e2e.processes import ServerProcess, server, zigzag
from tests.e2e.server.load.idle_calls import IMPORT, IMPORT_HEADER, KINDS, idle_calls
from tests.support.waiting import wait_until

ANSWER_S = 30.0  # a server that does not answer would let its callers wait for ever


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that ends no stream during these tests."""
    with server(tmp_path_factory.mktemp("data"), "--idle-limit", "600") as running:
        yield running


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that ends a stream that stands still for a second."""
    with server(tmp_path_factory.mktemp("data"), "--idle-limit", "1") as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
def test_idle_calls_of_one_connection_hold_up_nobody(patient: ServerProcess, kind: str) -> None:
    with grpc.insecure_channel(patient.address) as channel, idle_calls(channel, kind, 64) as calls:
        time.sleep(0.2)
        with HaleganadaClient(patient.address, timeout_s=ANSWER_S) as client:
            assert client.health() == "SERVING"
            client.predict(zigzag(1))
            client.export(io.BytesIO())
        if kind not in ("a prediction without its message", "a health check without its message"):
            assert any(call.is_active() for call in calls), "none was let in"


def test_many_may_ask_for_the_health_at_once(patient: ServerProcess) -> None:
    request = health_pb2.HealthCheckRequest()
    with grpc.insecure_channel(patient.address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        calls = [check.future(request, timeout=ANSWER_S) for _ in range(150)]
        assert {call.result().status for call in calls} == {health_pb2.HealthCheckResponse.SERVING}


def test_an_idle_import_ends_and_gives_its_place_back(strict: ServerProcess) -> None:
    kind = "an import of which only the header comes"
    with grpc.insecure_channel(strict.address) as channel, idle_calls(channel, kind, 4) as calls:
        for call in calls:
            refusal = expect_refusal(lambda: next(call))  # noqa: B023  called at once
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "CALLER_IDLE")
            assert "begin it again" in refusal.message
        stub = ocr_service_pb2_grpc.OCRServiceStub(channel)
        sent = [ocr.ImportRequest(header=ocr.ImportHeader()), ocr.ImportRequest(chunk=b'{"label": 5}\n')]
        assert stub.Import(iter(sent), timeout=ANSWER_S).refused_total == 1


def test_a_stream_that_trickles_ends_too(strict: ServerProcess) -> None:
    released = threading.Event()

    def trickle() -> Iterator[bytes]:
        yield IMPORT_HEADER
        while not released.wait(0.1):
            yield ocr.ImportRequest(chunk=b" ").SerializeToString()

    with grpc.insecure_channel(strict.address) as channel:
        call = channel.stream_unary(IMPORT, request_serializer=bytes, response_deserializer=bytes)
        try:
            with pytest.raises(grpc.RpcError) as caught:
                call(trickle(), timeout=ANSWER_S)
        finally:
            released.set()
    assert parse(caught.value).reason == "CALLER_IDLE"


def test_a_call_that_sends_no_message_ends(tmp_path: Path) -> None:
    """A few seconds later it is cut off."""
    with (
        server(tmp_path) as running,
        grpc.insecure_channel(running.address) as channel,
        idle_calls(channel, "a health check without its message", 2) as calls,
    ):
        wait_until(lambda: not any(call.is_active() for call in calls))
        assert {call.code() for call in calls} == {grpc.StatusCode.CANCELLED}


@pytest.mark.slow
def test_an_export_that_nobody_reads_ends(tmp_path: Path) -> None:
    with server(tmp_path, "--idle-limit", "1") as running:
        with running.client() as client:
            client.train_batch([(zigzag(i), f"label {i}", "", "") for i in range(200)])
        with unhurried(running.address) as channel:
            slow = ocr_service_pb2_grpc.OCRServiceStub(channel).Export(ocr.ExportRequest())
            next(iter(slow))
            wait_until(lambda: not list((tmp_path / "tmp").iterdir()))
            with pytest.raises(grpc.RpcError):
                list(slow)


@pytest.mark.slow
def test_the_benchmark_runs() -> None:
    line = [sys.executable, "-m", "tests.bench.overload.hold", "--short"]
    printed = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert "silent or trickling connections" in printed and "refusal" in printed


def test_a_flood_is_refused_before_it_queues(tmp_path: Path) -> None:
    """Far more calls than are let in: those that are refused hear it at once, and health is answered in between."""
    with server(tmp_path, "--workers", "2") as running, grpc.insecure_channel(running.address) as channel:
        predict = ocr_service_pb2_grpc.OCRServiceStub(channel).PredictBatch
        request = ocr.PredictBatchRequest(glyphs=[cross()] * 8)
        started, took = time.monotonic(), {True: list[float](), False: list[float]()}
        calls = [predict.future(request, timeout=120) for _ in range(200)]
        for call in calls:
            call.add_done_callback(lambda done: took[done.exception() is None].append(time.monotonic() - started))
        with running.client() as client:
            assert client.health() == "SERVING"
        outcomes = [call.exception() for call in calls]
    shed = [parse(error) for error in outcomes if isinstance(error, grpc.RpcError)]
    assert len(shed) >= 50 and {refusal.reason for refusal in shed} == {"QUEUE_FULL"}
    assert statistics.median(took[False]) < statistics.median(took[True])
