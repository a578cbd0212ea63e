"""A real server on loopback whose answers a test scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_status import rpc_status
from haleganada.v1 import ocr_service_pb2 as pb
from haleganada.v1 import ocr_service_pb2_grpc
from haleganada_client import ClientConfig, HaleganadaClient

make_client: Callable[..., HaleganadaClient] = HaleganadaClient
"""What makes the client of a scripted server; see conftest.py."""
Behavior = Callable[[pb.TrainRequest, grpc.ServicerContext], pb.TrainResponse]


class _Scripted(ocr_service_pb2_grpc.OCRServiceServicer):
    """Train calls the behavior; Reset records its calls, and is unavailable."""

    def __init__(self, behavior: Behavior, resets: list[str]) -> None:
        self._behavior = behavior
        self._resets = resets

    def Train(self, request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        return self._behavior(request, context)

    def Reset(self, request: pb.ResetRequest, context: grpc.ServicerContext) -> pb.ResetResponse:
        self._resets.append(request.confirm)
        context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
        raise AssertionError("abort returned")


@contextmanager
def serve(
    behavior: Behavior,
    port: int = 0,
    resets: list[str] | None = None,
    credentials: grpc.ServerCredentials | None = None,
) -> Iterator[int]:
    """Serve until the block ends, which cancels running calls. Yield the port. credentials: for TLS."""
    running = grpc.server(futures.ThreadPoolExecutor(4))
    servicer = _Scripted(behavior, resets if resets is not None else [])  # type: ignore[abstract]
    ocr_service_pb2_grpc.add_OCRServiceServicer_to_server(servicer, running)
    address = f"127.0.0.1:{port}"
    bound = running.add_secure_port(address, credentials) if credentials else running.add_insecure_port(address)
    running.start()
    try:
        yield bound
    finally:
        running.stop(None).wait()


@contextmanager
def scripted_client(behavior: Behavior, **settings: float | bool | str) -> Iterator[HaleganadaClient]:
    """Yield a client of such a server."""
    with serve(behavior) as port:
        config = ClientConfig(**{"target": f"127.0.0.1:{port}", "timeout_s": 5.0, **settings})  # type: ignore[arg-type]
        with make_client(config=config) as client:
            yield client


def refuse(context: grpc.ServicerContext, code: int, *details: Message) -> None:
    """Answer with a status and its google.rpc details."""
    packed = []
    for detail in details:
        wrapped = any_pb2.Any()
        wrapped.Pack(detail)
        packed.append(wrapped)
    status = status_pb2.Status(code=code, message="no", details=packed)
    context.abort_with_status(rpc_status.to_status(status))
