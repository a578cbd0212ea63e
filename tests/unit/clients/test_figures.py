"""What the command line says of samples that are still to be embedded anew."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import pytest
from click.testing import CliRunner
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc, workspace_service_pb2_grpc
from haleganada.v1 import workspace_service_pb2 as wsp
from haleganada_client.cli.group import cli


class _Figures(ocr_service_pb2_grpc.OCRServiceServicer, workspace_service_pb2_grpc.WorkspaceServiceServicer):
    """A server that knows one workspace and nothing but its figures."""

    def __init__(self, samples_to_embed: int) -> None:
        self._samples_to_embed = samples_to_embed

    def Stats(self, request: ocr.StatsRequest, context: grpc.ServicerContext) -> ocr.StatsResponse:
        del request, context
        return ocr.StatsResponse(samples_total=40, samples_to_embed=self._samples_to_embed)

    def ListWorkspaces(
        self, request: wsp.ListWorkspacesRequest, context: grpc.ServicerContext
    ) -> wsp.ListWorkspacesResponse:
        del request, context
        known = wsp.Workspace(name="w", samples_total=40, samples_to_embed=self._samples_to_embed)
        known.created.GetCurrentTime()
        return wsp.ListWorkspacesResponse(workspaces=[known])


@contextmanager
def answering(samples_to_embed: int) -> Iterator[str]:
    """Its address."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    servicer = _Figures(samples_to_embed)  # type: ignore[abstract]
    ocr_service_pb2_grpc.add_OCRServiceServicer_to_server(servicer, server)
    workspace_service_pb2_grpc.add_WorkspaceServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.parametrize("command", ["stats", "workspaces"])
def test_a_line_only_while_there_are_some(command: str) -> None:
    for waiting in (17, 0):
        with answering(waiting) as address:
            shown = CliRunner().invoke(cli, ["--server", address, command], catch_exceptions=False).output
        assert "40" in shown
        assert ("17 samples" in shown, "anew" in shown) == (waiting > 0, waiting > 0)
