"""The gRPC server around the services: limits, health, reflection, orderly stop."""

from __future__ import annotations

from concurrent import futures
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from haleganada.v1 import (
    ocr_service_pb2,
    ocr_service_pb2_grpc,
    sample_service_pb2,
    sample_service_pb2_grpc,
    workspace_service_pb2,
    workspace_service_pb2_grpc,
)

from haleganada_server.core.ports import WorkspaceDirectory
from haleganada_server.core.workspaces import Workspaces

from .interceptors import CallInterceptor, CallMonitor
from .ocr import OCRServicer
from .samples import SampleServicer
from .server_facts import ServerFacts
from .transfers import Transfers
from .workspaces import WorkspaceServicer

MAX_MESSAGE_BYTES = 16 * 2**20
SERVICES = (
    ocr_service_pb2.DESCRIPTOR.services_by_name["OCRService"].full_name,
    sample_service_pb2.DESCRIPTOR.services_by_name["SampleService"].full_name,
    workspace_service_pb2.DESCRIPTOR.services_by_name["WorkspaceService"].full_name,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """workers: calls answered at once. waiting: calls that may wait beyond these, then RESOURCE_EXHAUSTED."""

    workers: int = 16
    waiting: int = 256


class GrpcServer:
    """Serves the workspaces. Not started, not bound, until told so."""

    def __init__(
        self, workspaces: Workspaces, directory: WorkspaceDirectory, facts: ServerFacts, limits: Limits, reflect: bool
    ) -> None:
        self._monitor: CallMonitor = facts.monitor
        self._server = grpc.server(
            futures.ThreadPoolExecutor(limits.workers, thread_name_prefix="rpc"),
            interceptors=[CallInterceptor(facts.monitor)],
            options=_options(),
            maximum_concurrent_rpcs=limits.workers + limits.waiting,
        )
        transfers = Transfers(workspaces, directory, max(1, limits.workers // 4))
        ocr_service_pb2_grpc.add_OCRServiceServicer_to_server(OCRServicer(workspaces, transfers, facts), self._server)
        sample_service_pb2_grpc.add_SampleServiceServicer_to_server(SampleServicer(workspaces), self._server)
        workspace_service_pb2_grpc.add_WorkspaceServiceServicer_to_server(WorkspaceServicer(workspaces), self._server)
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        if reflect:
            names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    def bind(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        """Bind to HOST:PORT; the port, which is chosen for port 0. Raises RuntimeError if the address cannot be had."""
        if credentials is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, credentials))

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()
        self._set_health(health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_s: float) -> None:
        """Say NOT_SERVING, let calls in progress finish for up to grace_s seconds, then end them."""
        self._monitor.stopping = True
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server.stop(grace_s).wait()

    def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus.ValueType) -> None:
        for name in ("", *SERVICES):
            self._health.set(name, status)


def _options() -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.so_reuseport", 0),  # a second server on this port must fail, not take every other call
        ("grpc.http2.min_ping_interval_without_data_ms", 30_000),  # clients ping once a minute
        ("grpc.keepalive_permit_without_calls", 1),
    ]
