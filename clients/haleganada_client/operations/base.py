"""What all operations need: the connection, and the workspace of calls that name none."""

from __future__ import annotations

import uuid
from functools import cached_property

from haleganada.v1 import ocr_service_pb2_grpc, sample_service_pb2_grpc, workspace_service_pb2_grpc

from haleganada_client.calls.connection import Connection
from haleganada_client.connection.config import ClientConfig

TRANSFER_TIMEOUT_S = 3600.0
BATCH_TIMEOUT_S = 60.0


class Operations:
    """Base class. Stubs are made at their first use, because an asyncio channel is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def config(self) -> ClientConfig:
        """How the server is reached."""
        return self._connection.config

    @cached_property
    def _ocr(self) -> ocr_service_pb2_grpc.OCRServiceStub:
        return self._connection.make_stub(ocr_service_pb2_grpc.OCRServiceStub)

    @cached_property
    def _samples(self) -> sample_service_pb2_grpc.SampleServiceStub:
        return self._connection.make_stub(sample_service_pb2_grpc.SampleServiceStub)

    @cached_property
    def _workspaces(self) -> workspace_service_pb2_grpc.WorkspaceServiceStub:
        return self._connection.make_stub(workspace_service_pb2_grpc.WorkspaceServiceStub)

    def _or_default(self, workspace: str | None) -> str:
        """Return the workspace of a call that may name none."""
        return self.config.workspace if workspace is None else workspace


def ensure_id(request_id: str | None) -> str:
    """Return the request id that was given, or a fresh one."""
    return request_id or str(uuid.uuid4())
