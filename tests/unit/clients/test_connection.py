"""Calls over a real channel to a server whose behaviour the test decides: retries, deadlines, errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from haleganada.v1 import ocr_service_pb2 as pb
from haleganada.v1 import ocr_service_pb2_grpc
from haleganada_client import ClientConfig, HaleganadaClient
from haleganada_client.errors import (
    BY_CODE,
    DeadlineExceeded,
    HaleganadaError,
    InvalidInput,
    Unavailable,
)

Behaviour = Callable[[pb.TrainRequest, grpc.ServicerContext], pb.TrainResponse]


class _Scripted(ocr_service_pb2_grpc.OCRServiceServicer):
    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def Train(self, request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        return self._behaviour(request, context)


@contextmanager
def served(behaviour: Behaviour, timeout_s: float = 5.0) -> Iterator[HaleganadaClient]:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    ocr_service_pb2_grpc.add_OCRServiceServicer_to_server(_Scripted(behaviour), server)  # type: ignore[abstract]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    config = ClientConfig(target=f"127.0.0.1:{port}", timeout_s=timeout_s)
    with HaleganadaClient(config=config) as client:
        yield client
    server.stop(None).wait()


def refuse(context: grpc.ServicerContext, code: int, *details: object) -> None:
    packed = []
    for detail in details:
        wrapped = any_pb2.Any()
        wrapped.Pack(detail)  # type: ignore[arg-type]
        packed.append(wrapped)
    status = status_pb2.Status(code=code, message="no", details=packed)
    context.abort_with_status(rpc_status.to_status(status))


def test_a_stopping_server_is_asked_again_with_the_same_request_id() -> None:
    ids: list[str] = []

    def behaviour(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        ids.append(request.request_id)
        if len(ids) < 3:
            refuse(context, code_pb2.UNAVAILABLE, error_details_pb2.ErrorInfo(reason="STOPPING"))
        return pb.TrainResponse(sample_id=7)

    with served(behaviour) as client:
        assert client.train(b"picture", "a").sample_id == 7
    assert len(ids) == 3 and len(set(ids)) == 1 and ids[0]


def test_other_errors_are_not_repeated() -> None:
    calls: list[str] = []

    def behaviour(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        calls.append(request.label)
        violation = error_details_pb2.BadRequest.FieldViolation(field="label", description="is empty")
        refuse(context, code_pb2.INVALID_ARGUMENT, error_details_pb2.BadRequest(field_violations=[violation]))
        return pb.TrainResponse()

    with served(behaviour) as client, pytest.raises(InvalidInput) as refusal:
        client.train(b"picture", "")
    assert refusal.value.field == "label" and len(calls) == 1


def test_every_call_has_a_deadline() -> None:
    def behaviour(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        time.sleep(2)
        return pb.TrainResponse()

    began = time.monotonic()
    with served(behaviour, timeout_s=0.3) as client:
        with pytest.raises(DeadlineExceeded):
            client.train(b"picture", "a")
        assert time.monotonic() - began < 1.5


def test_nobody_there_is_said_at_once() -> None:
    with HaleganadaClient("127.0.0.1:1") as client:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="haleganada serve"):
            client.predict(b"picture")
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("code", [*BY_CODE, code_pb2.INTERNAL])
def test_every_status_is_an_error_of_ours(code: int) -> None:
    def behaviour(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        refuse(context, code)
        return pb.TrainResponse()

    with served(behaviour, timeout_s=1.0) as client, pytest.raises(HaleganadaError) as refusal:
        client.train(b"picture", "a")
    assert type(refusal.value) is not HaleganadaError
