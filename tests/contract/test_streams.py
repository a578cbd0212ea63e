"""Export and Import as streams: order, checksums, cancelling, and how many at a time."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc import StatusCode
from haleganada.v1 import common_pb2 as common
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada.v1.common_pb2 import Glyph

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross, ladder, noise, ring
from tests.contract.held import hold_import, unhurried
from tests.contract.refusals import expect_refusal
from tests.support.waiting import wait_until

FORMATS = [
    ocr.EXPORT_FORMAT_HALEGANADA_ARCHIVE,
    ocr.EXPORT_FORMAT_SEED_FILES,
    ocr.EXPORT_FORMAT_JSONL,
    ocr.EXPORT_FORMAT_IMAGE_FOLDER,
]


def teach_three(server: RunningServer, workspace: str) -> None:
    for glyph, label in ((cross(), "ಅ"), (ring(), "../b"), (ladder(), "c")):
        server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=glyph, label=label))


def export(server: RunningServer, workspace: str, form: ocr.ExportFormat.ValueType) -> tuple[ocr.ExportHeader, bytes]:
    """The header and the file, which was checked against the trailer."""
    parts = list(server.ocr.Export(ocr.ExportRequest(workspace=workspace, format=form)))
    assert [part.WhichOneof("part") for part in parts] == ["header", *["chunk"] * (len(parts) - 2), "trailer"]
    assert all(0 < len(part.chunk) <= 64 * 1024 for part in parts[1:-1])
    data = b"".join(part.chunk for part in parts[1:-1])
    assert parts[-1].trailer.sha256 == hashlib.sha256(data).hexdigest()
    return parts[0].header, data


def pack_import(
    workspace: str, *chunks: bytes, trailer: common.TransferTrailer | None = None
) -> Iterator[ocr.ImportRequest]:
    yield ocr.ImportRequest(header=ocr.ImportHeader(workspace=workspace))
    for chunk in chunks:
        yield ocr.ImportRequest(chunk=chunk)
    if trailer is not None:
        yield ocr.ImportRequest(trailer=trailer)


@pytest.mark.parametrize("form", FORMATS, ids=ocr.ExportFormat.Name)
def test_every_format(server: RunningServer, workspace: str, form: ocr.ExportFormat.ValueType) -> None:
    teach_three(server, workspace)
    header, data = export(server, workspace, form)
    assert (header.format, header.samples_total, header.revision) == (form, 3, 3)
    assert header.file_name and "/" in header.content_type and data
    if form == ocr.EXPORT_FORMAT_SEED_FILES:
        return  # for reading only
    other = f"{workspace} copy"[:64]
    server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=other))
    answer = server.ocr.Import(pack_import(other, data))
    assert (answer.imported, answer.refused_total) == (3, 0)
    assert server.ocr.Predict(ocr.PredictRequest(workspace=other, glyph=ring())).candidates[0].label == "../b"


def test_an_archive_gives_identical_predictions(server: RunningServer, workspace: str) -> None:
    teach_three(server, workspace)
    _, data = export(server, workspace, ocr.EXPORT_FORMAT_UNSPECIFIED)
    other = f"{workspace} twin"[:64]
    server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=other))
    server.ocr.Import(pack_import(other, data[:100], data[100:]))
    here, there = (
        server.ocr.Predict(ocr.PredictRequest(workspace=name, glyph=ring(5), min_revision=3))
        for name in (workspace, other)
    )
    assert list(here.candidates) == list(there.candidates) and here.unknown_probability == there.unknown_probability


def test_a_bad_item_is_reported_and_the_good_ones_are_taught(server: RunningServer, workspace: str) -> None:
    teach_three(server, workspace)
    _, data = export(server, workspace, ocr.EXPORT_FORMAT_JSONL)
    server.ocr.Reset(ocr.ResetRequest(workspace=workspace, confirm=workspace))
    answer = server.ocr.Import(pack_import(workspace, data, b'{"label": "no drawing"}\n'))
    assert (answer.imported, answer.refused_total) == (3, 1)
    assert answer.refused[0].item.endswith("4") and answer.refused[0].error.code == 3


BAD_STREAMS = {
    "nothing": [],
    "no header": [ocr.ImportRequest(chunk=b"x")],
    "two headers": [ocr.ImportRequest(header=ocr.ImportHeader()), ocr.ImportRequest(header=ocr.ImportHeader())],
    "an empty part": [ocr.ImportRequest(header=ocr.ImportHeader()), ocr.ImportRequest()],
    "too large a chunk": [*pack_import("", b"\0" * (2**20 + 1))],
    "not a file": [*pack_import("", b"neither of them")],
    "another hash": [*pack_import("", b"x", trailer=common.TransferTrailer(sha256="0" * 64))],
    "another size": [*pack_import("", b"x", trailer=common.TransferTrailer(size_bytes=2))],
    "a chunk behind the trailer": [*pack_import("", trailer=common.TransferTrailer()), ocr.ImportRequest(chunk=b"x")],
}


@pytest.mark.parametrize("requests", BAD_STREAMS.values(), ids=BAD_STREAMS.keys())
def test_bad_streams(server: RunningServer, requests: list[ocr.ImportRequest]) -> None:
    refusal = expect_refusal(lambda: server.ocr.Import(iter(requests)))
    assert refusal.code == StatusCode.INVALID_ARGUMENT and len(refusal.fields) == 1


def test_a_file_over_the_cap(start_server: StartServer) -> None:
    server = start_server(max_import_bytes=1000)
    refusal = expect_refusal(lambda: server.ocr.Import(pack_import("", b"x" * 600, b"x" * 600)))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("chunk",))


def test_the_revision_is_checked_before_the_file_is_sent(server: RunningServer, workspace: str) -> None:
    header = ocr.ImportRequest(header=ocr.ImportHeader(workspace=workspace, expected_revision=9))

    def endless() -> Iterator[ocr.ImportRequest]:
        yield header
        while True:
            time.sleep(0.01)
            yield ocr.ImportRequest(chunk=b"x")

    assert expect_refusal(lambda: server.ocr.Import(endless())).code == StatusCode.ABORTED


def test_only_so_many_at_a_time_and_cancelling_frees_the_place(start_server: StartServer, tmp_path: Path) -> None:
    """A client that stops reading holds its place, not the others'; when it goes, nothing of it is left."""
    server = start_server(max_transfers=1)
    items = [ocr.TrainItem(glyph=Glyph(image=noise(seed)), label=f"label {seed}") for seed in range(80)]
    server.ocr.TrainBatch(ocr.TrainBatchRequest(items=items))  # so much that it does not fit into the buffers
    with unhurried(server.app.address) as channel:
        slow = ocr_service_pb2_grpc.OCRServiceStub(channel).Export(ocr.ExportRequest())
        next(iter(slow))
        refusal = expect_refusal(lambda: list(server.ocr.Export(ocr.ExportRequest())))
        assert (refusal.code, refusal.reason) == (StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_TRANSFERS")
        assert refusal.retry_s
        assert server.ocr.Predict(ocr.PredictRequest(glyph=cross())).candidates
        slow.cancel()
    wait_until(lambda: not list((tmp_path / "data" / "tmp").iterdir()))
    assert len(list(server.ocr.Export(ocr.ExportRequest()))) > 2


def test_a_cancelled_import_leaves_nothing(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(max_transfers=1)
    with hold_import(server.channel, tmp_path / "data") as held:
        held.call.cancel()
        wait_until(lambda: not list((tmp_path / "data" / "tmp").iterdir()))
        with pytest.raises(grpc.FutureCancelledError):
            held.call.result()
    assert server.ocr.Import(pack_import("", b'{"label": 5}\n')).refused_total == 1
