"""The hand-written health check against the standard's own messages."""

from __future__ import annotations

from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health_pb2
from haleganada_client import HaleganadaClient, Unavailable


@pytest.mark.parametrize("state", ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"])
def test_every_state_of_the_standard(state: str) -> None:
    asked: list[str] = []

    def check(request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext) -> health_pb2.HealthCheckResponse:
        asked.append(request.service)
        return health_pb2.HealthCheckResponse(status=state)

    handler = grpc.unary_unary_rpc_method_handler(
        check, health_pb2.HealthCheckRequest.FromString, health_pb2.HealthCheckResponse.SerializeToString
    )
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with HaleganadaClient(f"127.0.0.1:{port}") as client:
        assert client.health() == state
    server.stop(None).wait()
    assert asked == [""]


def test_no_server_has_no_health() -> None:
    with HaleganadaClient("127.0.0.1:1") as client, pytest.raises(Unavailable, match="haleganada serve"):
        client.health()
