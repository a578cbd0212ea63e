"""Messages of WorkspaceService <- the domain's values."""

from __future__ import annotations

from haleganada.v1 import workspace_service_pb2

from haleganada_server.core.workspaces.types import WorkspaceInfo

from . import online
from .common import timestamp


def workspace(value: WorkspaceInfo) -> workspace_service_pb2.Workspace:
    ready, corrupt = workspace_service_pb2.WORKSPACE_STATE_READY, workspace_service_pb2.WORKSPACE_STATE_CORRUPT
    return workspace_service_pb2.Workspace(
        name=value.name,
        samples_total=value.samples_total,
        labels_known=value.labels_known,
        revision=value.revision,
        create_time=timestamp(value.created_us),
        size_bytes=value.bytes_on_disk,
        state=corrupt if value.corrupt else ready,
        embedder_hash=value.embedder_hash,
        samples_to_embed=value.samples_to_embed,
        model=value.model,
        online=online.status(value.online) if value.online else None,
    )
