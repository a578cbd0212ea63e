"""What operators and tools rely on: health, reflection, limits, the log."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada_server.logs import OneLineFormatter
from haleganada_server.rpc.metrics import Latencies
from haleganada_server.rpc.server import SERVICES

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.contract.held import hold_import
from tests.support.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def health(server: RunningServer, service: str = "") -> health_pb2.HealthCheckResponse.ServingStatus.ValueType:
    stub = health_pb2_grpc.HealthStub(server.channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service)).status


def test_every_service_is_healthy(server: RunningServer) -> None:
    contract = Path(ocr.DESCRIPTOR.name).parent
    assert len(SERVICES) == len(list((REPOSITORY / "proto" / contract).glob("*_service.proto")))
    assert {health(server, name) for name in ("", *SERVICES)} == {SERVING}


def test_an_unknown_service_is_not_found(server: RunningServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        health(server, "haleganada.v1.NoService")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_health_says_that_the_server_is_stopping(start_server: StartServer) -> None:
    server = start_server()
    with hold_import(server.channel, server.app.config.data_dir) as held:
        stop = threading.Thread(target=server.app.server.stop, args=(60,))
        stop.start()
        wait_until(lambda: health(server) == NOT_SERVING)
        assert held.finish().refused_total == 1
    stop.join()


def test_health_answers_while_all_threads_are_busy(start_server: StartServer) -> None:
    server = start_server(workers=2)
    work = [server.ocr.PredictBatch.future(ocr.PredictBatchRequest(glyphs=[cross()] * 100)) for _ in range(6)]
    durations = []
    while not all(call.done() for call in work):
        started = time.monotonic()
        assert health(server) == SERVING
        durations.append(time.monotonic() - started)
    assert durations and sorted(durations)[len(durations) // 2] < 0.1


def test_reflection_tells_the_contract(start_server: StartServer) -> None:
    database = ProtoReflectionDescriptorDatabase(start_server(reflection=True).channel)
    assert {*SERVICES, "grpc.health.v1.Health"} <= set(database.get_services())
    assert database.FindFileContainingSymbol("haleganada.v1.OCRService").name == "haleganada/v1/ocr_service.proto"


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_both_versions_of_reflection_describe_everything(start_server: StartServer, version: str) -> None:
    server = start_server(reflection=True)
    services = {name.name for name in _reflect(server, version, list_services="").list_services_response.service}
    assert services >= {*SERVICES, "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
    described = (
        ("haleganada.v1.OCRService.Train", "haleganada/v1/ocr_service.proto"),
        ("haleganada.v1.TrainRequest", "haleganada/v1/ocr_service.proto"),
        ("haleganada.v1.TrainRequest.label", "haleganada/v1/ocr_service.proto"),
        ("haleganada.v1.Glyph.source", "haleganada/v1/common.proto"),
        ("haleganada.v1.DECISION_UNSURE", "haleganada/v1/ocr_service.proto"),
        ("grpc.reflection.v1.ServerReflection.ServerReflectionInfo", "grpc/reflection/v1/reflection.proto"),
        ("grpc.reflection.v1alpha.ServerReflection", "reflection.proto"),
        ("grpc.health.v1.Health.Watch", "health.proto"),
    )
    for symbol, file_name in described:
        answer = _reflect(server, version, file_containing_symbol=symbol)
        file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
        assert file.name.endswith(file_name), symbol
    for symbol in ("haleganada.v1.OCRService.Teach", "nothing", ""):
        answer = _reflect(server, version, file_containing_symbol=symbol)
        assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def _reflect(server: RunningServer, version: str, **question: str) -> ServerReflectionResponse:
    ask = server.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )
    (answer,) = ask(iter([ServerReflectionRequest(**question)]))
    assert isinstance(answer, ServerReflectionResponse)
    return answer


def _every_method() -> list[str]:
    services = (*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection")
    described = [descriptor_pool.Default().FindServiceByName(service) for service in services]
    return [f"/{service.full_name}/{method.name}" for service in described for method in service.methods]


@pytest.mark.parametrize("message", [b"\xff", b"\x0a\x09cut", b"\x0b\x0b"], ids=["no tag", "cut off", "open group"])
def test_bytes_that_are_no_message_are_told_by_every_method(start_server: StartServer, message: bytes) -> None:
    server = start_server(reflection=True)
    for method in _every_method():
        call = server.channel.stream_stream(method, request_serializer=bytes, response_deserializer=bytes)
        with pytest.raises(grpc.RpcError) as caught:
            list(call(iter([message]), timeout=10))
        expected = "UNIMPLEMENTED" if method.endswith("Health/List") else "INVALID_ARGUMENT"
        assert caught.value.code().name == expected, method


def test_reflection_can_be_off(start_server: StartServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ProtoReflectionDescriptorDatabase(start_server(reflection=False).channel).get_services()
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_each_call_is_one_line_of_log(server: RunningServer, workspace: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross()))
        with pytest.raises(grpc.RpcError):
            server.ocr.Predict(ocr.PredictRequest(workspace='two\nlines"', glyph=cross()))
    good, bad = (record.getMessage() for record in caplog.records if "method=Predict" in record.getMessage())
    assert f'workspace="{workspace}"' in good and "code=OK" in good and "ms=" in good
    assert r'workspace="two\nlines\""' in bad and "code=INVALID_ARGUMENT reason=INVALID_INPUT call_id=" in bad


def test_a_traceback_is_one_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError as error:
        failure = (type(error), error, error.__traceback__)
    record = logging.LogRecord("haleganada_server.rpc.x", logging.ERROR, "", 0, "it failed", (), failure)
    line = OneLineFormatter().format(record)
    assert "\n" not in line and "ValueError: first\\nsecond" in line and " ERROR rpc.x it failed" in line


def test_percentiles_of_the_newest_calls() -> None:
    latencies = Latencies()
    for milliseconds in range(1, 101):
        latencies.add("Predict", float(milliseconds))
    latencies.add("Train", 7.0)
    predict, train = latencies.by_method()
    assert (predict.method, predict.calls, predict.p50_ms, predict.p99_ms) == ("Predict", 100, 50.0, 99.0)
    assert (train.p50_ms, train.p99_ms) == (7.0, 7.0)
    for _ in range(2000):
        latencies.add("Train", 9.0)
    assert latencies.by_method()[1].p50_ms == 9.0
