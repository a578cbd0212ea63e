"""Drawings that a program made are marked, wherever they go."""

from __future__ import annotations

import pytest
from grpc import StatusCode
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import sample_service_pb2 as samples
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada.v1.common_pb2 import Glyph
from haleganada_client.wire.drawings import encode_png

from tests.conftest import RunningServer
from tests.contract.drawings import cross
from tests.contract.refusals import expect_refusal
from tests.contract.test_streams import export, pack_import


def list_synthetic(server: RunningServer, workspace: str) -> list[tuple[str, bool]]:
    found = server.samples.ListSamples(samples.ListSamplesRequest(workspace=workspace)).samples
    return [(sample.label, sample.synthetic) for sample in found]


@pytest.mark.parametrize("form", [ocr.EXPORT_FORMAT_JSONL, ocr.EXPORT_FORMAT_HALEGANADA_ARCHIVE])
def test_the_mark_stays(server: RunningServer, workspace: str, form: ocr.ExportFormat.ValueType) -> None:
    picture = encode_png(memoryview(bytes([0] * 200 + [255] * 200)).cast("B", (20, 20)))
    for label, glyph in (("a", cross()), ("b", Glyph(image=picture, synthetic=True)), ("c", Glyph(image=picture))):
        server.ocr.Train(ocr.TrainRequest(workspace=workspace, label=label, glyph=glyph))
    assert list_synthetic(server, workspace) == [("c", False), ("b", True), ("a", False)]
    other = f"{workspace} copy"[:64]
    server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=other))
    server.ocr.Import(pack_import(other, export(server, workspace, form)[1]))
    assert sorted(list_synthetic(server, other)) == [("a", False), ("b", True), ("c", False)]


def test_strokes_are_never_synthetic(server: RunningServer, workspace: str) -> None:
    glyph = cross()
    glyph.synthetic = True
    error = expect_refusal(lambda: server.ocr.Train(ocr.TrainRequest(workspace=workspace, label="a", glyph=glyph)))
    assert error.code == StatusCode.INVALID_ARGUMENT and "synthetic" in error.message
