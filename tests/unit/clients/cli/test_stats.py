"""What stats and workspaces print: samples to re-embed, the model that answers, the progress of online learning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
import pytest
from click.testing import CliRunner
from haleganada.v1 import model_service_pb2 as mdl
from haleganada.v1 import model_service_pb2_grpc, ocr_service_pb2_grpc, workspace_service_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import online_pb2 as onl
from haleganada.v1 import workspace_service_pb2 as wsp
from haleganada_client.cli.root import cli

MODEL = "0123456789ab"


class _StatsServicer(
    ocr_service_pb2_grpc.OCRServiceServicer,
    workspace_service_pb2_grpc.WorkspaceServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """A server with one workspace, its statistics, and one model called “mine”."""

    def __init__(self, workspace: wsp.Workspace) -> None:
        self._workspace = workspace
        self._workspace.create_time.GetCurrentTime()

    def Stats(self, request: ocr.StatsRequest, context: grpc.ServicerContext) -> ocr.StatsResponse:
        del request, context
        workspace = self._workspace
        return ocr.StatsResponse(samples_total=workspace.samples_total, samples_to_embed=workspace.samples_to_embed)

    def ListWorkspaces(
        self, request: wsp.ListWorkspacesRequest, context: grpc.ServicerContext
    ) -> wsp.ListWorkspacesResponse:
        del request, context
        return wsp.ListWorkspacesResponse(workspaces=[self._workspace])

    def GetWorkspace(self, request: wsp.GetWorkspaceRequest, context: grpc.ServicerContext) -> wsp.GetWorkspaceResponse:
        del request, context
        return wsp.GetWorkspaceResponse(workspace=self._workspace)

    def ListModels(self, request: mdl.ListModelsRequest, context: grpc.ServicerContext) -> mdl.ListModelsResponse:
        del request, context
        return mdl.ListModelsResponse(models=[mdl.Model(model_id=MODEL, name="mine")])


@contextmanager
def serve(workspace: wsp.Workspace) -> Iterator[str]:
    """Serve it. Yield the address."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    servicer = _StatsServicer(workspace)  # type: ignore[abstract]
    ocr_service_pb2_grpc.add_OCRServiceServicer_to_server(servicer, server)
    workspace_service_pb2_grpc.add_WorkspaceServiceServicer_to_server(servicer, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def run_command(workspace: wsp.Workspace, *command: str) -> str:
    with serve(workspace) as address:
        return str(CliRunner().invoke(cli, ["--server", address, *command], catch_exceptions=False).output)


@pytest.mark.parametrize("command", ["stats", "workspaces"])
def test_a_line_only_while_there_are_some(command: str) -> None:
    for stale in (17, 0):
        output = run_command(wsp.Workspace(name="w", samples_total=40, samples_to_embed=stale), command)
        assert "40" in output
        assert ("17 samples" in output, "re-embed" in output) == (stale > 0, stale > 0)


@pytest.mark.parametrize("command", ["stats", "workspaces"])
@pytest.mark.parametrize(
    ("workspace", "words"),
    [
        (wsp.Workspace(model="few-shot"), "few-shot"),
        (wsp.Workspace(model=MODEL), "mine"),
        (
            wsp.Workspace(model="online", online=onl.OnlineStatus(start="cnn36", samples_left=12)),
            "online, from cnn36|0 learned, 12 to learn; few-shot answers until then",
        ),
        (
            wsp.Workspace(model="online", online=onl.OnlineStatus(start="cnn36", revision=0)),
            "0 learned, 0 to learn; few-shot answers until two labels are taught",
        ),
        (wsp.Workspace(model="online", online=onl.OnlineStatus(start=MODEL)), "few-shot answers until it has started"),
        (
            wsp.Workspace(
                model="online",
                online=onl.OnlineStatus(
                    start=MODEL, revision=9, labels_known=4, samples_learned=1200, samples_left=3, rebuilding=True
                ),
            ),
            "online, from mine|1,200 learned, 3 to learn; relearning after a change; "
            "answers include changes up to revision 9",
        ),
        (
            wsp.Workspace(model="online", online=onl.OnlineStatus(start="cnn36", error="no memory; use less")),
            "online, from cnn36|not learning, few-shot answers: no memory; use less",
        ),
    ],
)
def test_what_answers_and_how_far_it_has_learned(command: str, workspace: wsp.Workspace, words: str) -> None:
    output = run_command(workspace, command)
    assert all(word in output for word in words.split("|")), output
    assert ("learn" in output) == workspace.HasField("online")


def test_a_corrupt_workspace_has_no_time_and_a_way_out() -> None:
    broken = wsp.Workspace(name="class 4b", state=wsp.WORKSPACE_STATE_CORRUPT)
    output = run_command(broken, "workspaces").splitlines()[1]
    assert "-w 'class 4b' snapshots`" in output and not re.search(r"\d{4}-\d\d-\d\d", output)
    assert re.search(r"\d{4}-\d\d-\d\d", run_command(wsp.Workspace(name="sound"), "workspaces"))


@pytest.mark.parametrize("command", ["stats", "workspaces"])
def test_programs_get_all_of_it(command: str) -> None:
    learns = onl.OnlineStatus(start="cnn36", settings=onl.OnlineSettings(replay=0, steps=5), samples_left=12)
    output = json.loads(run_command(wsp.Workspace(name="w", model="online", online=learns), command, "--json"))
    found = output if command == "stats" else output[0]
    assert found["model"] == "online" and found["online"]["samples_left"] == 12
    assert found["online"]["settings"]["replay"] == 0 and found["online"]["settings"]["learning_rate"] is None
