"""How well a server follows others, as it says itself."""

from __future__ import annotations

from grpc_health.v1 import health_pb2, health_pb2_grpc
from haleganada.v1 import server_service_pb2, server_service_pb2_grpc

from tests.conftest import RunningServer


def get_replica(server: RunningServer) -> server_service_pb2.ReplicaStatus:
    """Return what GetServerStatus says."""
    stub = server_service_pb2_grpc.ServerServiceStub(server.channel)
    return stub.GetServerStatus(server_service_pb2.GetServerStatusRequest()).status.replica


def check_health(server: RunningServer, service: str) -> str:
    """Return the status of a service by the standard health check."""
    request = health_pb2.HealthCheckRequest(service=service)
    answer = health_pb2_grpc.HealthStub(server.channel).Check(request)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
