"""Each kind of bad input has its status and its details, over real loopback."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import sample_service_pb2 as samples
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada.v1.common_pb2 import Glyph, Ink, Stroke

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import SIDE, blank, cross, make_animation, picture
from tests.contract.held import hold_import
from tests.contract.refusals import Refusal, expect_refusal, parse
from tests.support.waiting import wait_until


def bomb() -> bytes:
    """A PNG of 200 bytes that says it has 40,000 x 40,000 pixels."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def ink(x: list[float], y: list[float], width: float = SIDE) -> Glyph:
    return Glyph(ink=Ink(strokes=[Stroke(x=x, y=y)], width=width, height=SIDE))


BAD_DRAWINGS = {
    "not an image": Glyph(image=b"GIF89a, or so it says"),
    "empty image": Glyph(image=b""),
    "truncated": Glyph(image=picture("JPEG")[:300]),
    "animated": Glyph(image=make_animation()),
    "too many pixels": Glyph(image=bomb()),
    "too many bytes": Glyph(image=b"\x89PNG" + b"\0" * (8 * 2**20)),
    "blank": Glyph(image=blank()),
    "nothing": Glyph(),
    "no strokes": Glyph(ink=Ink(width=SIDE, height=SIDE)),
    "no canvas": ink([1.0, 50.0], [1.0, 50.0], width=0),
    "x and y differ": ink([1.0, 2.0], [1.0]),
    "not a number": ink([1.0, float("nan")], [1.0, 2.0]),
    "too many points": ink([1.0] * 100_001, [1.0] * 100_001),
    "too many strokes": Glyph(ink=Ink(strokes=[Stroke(x=[1.0], y=[1.0])] * 1001, width=SIDE, height=SIDE)),
}


@pytest.mark.parametrize("glyph", BAD_DRAWINGS.values(), ids=BAD_DRAWINGS.keys())
def test_bad_drawings(server: RunningServer, workspace: str, glyph: Glyph) -> None:
    train = ocr.TrainRequest(workspace=workspace, glyph=glyph, label="a")
    for call in (
        lambda: server.ocr.Train(train),
        lambda: server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=glyph)),
    ):
        refusal = expect_refusal(call)
        assert refusal.code == StatusCode.INVALID_ARGUMENT and refusal.reason == "INVALID_INPUT"
        assert len(refusal.fields) == 1 and refusal.fields[0].startswith("glyph")
    assert server.workspaces.GetWorkspace(workspaces.GetWorkspaceRequest(workspace=workspace)).workspace.revision == 0


BAD_LABELS = ["", "  ", "a" * 65, "a\nb", "a\x00b", "\u200d", "\u202eabc"]


@pytest.mark.parametrize("label", BAD_LABELS, ids=ascii)
def test_bad_labels(server: RunningServer, workspace: str, label: str) -> None:
    refusal = expect_refusal(
        lambda: server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=cross(), label=label))
    )
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("label",))


@dataclass(frozen=True)
class Case:
    """A bad call in a workspace where revision 1 taught sample 1, cross() as “a”, with the request_id “used”."""

    name: str
    call: Callable[[RunningServer, str], Any]
    code: StatusCode
    reason: str
    field: str = ""


def out_of_range(name: str, field: str, call: Callable[[RunningServer, str], Any]) -> Case:
    return Case(name, call, StatusCode.INVALID_ARGUMENT, "INVALID_INPUT", field)


def not_found(name: str, kind: str, call: Callable[[RunningServer, str], Any]) -> Case:
    return Case(name, call, StatusCode.NOT_FOUND, f"{kind}_NOT_FOUND")


def precondition(name: str, reason: str, call: Callable[[RunningServer, str], Any]) -> Case:
    return Case(name, call, StatusCode.FAILED_PRECONDITION, reason)


def predict(**fields: Any) -> Callable[[RunningServer, str], Any]:
    return lambda server, name: server.ocr.Predict(ocr.PredictRequest(workspace=name, glyph=cross(), **fields))


def train(**fields: Any) -> Callable[[RunningServer, str], Any]:
    return lambda server, name: server.ocr.Train(ocr.TrainRequest(workspace=name, glyph=cross(), **fields))


CASES = [
    out_of_range("top_k too large", "top_k", predict(top_k=51)),
    out_of_range("top_k negative", "top_k", predict(top_k=-1)),
    out_of_range("script_labels negative", "script_labels", predict(script_labels=-1)),
    out_of_range("script_labels too many", "script_labels", predict(script_labels=1_000_001)),
    out_of_range(
        "script_labels of a batch",
        "script_labels",
        lambda s, w: s.ocr.PredictBatch(ocr.PredictBatchRequest(workspace=w, glyphs=[cross()], script_labels=-1)),
    ),
    out_of_range("long request_id", "request_id", train(label="a", request_id="x" * 65)),
    out_of_range("bad variant_of", "variant_of", train(label="a", variant_of="\n")),
    out_of_range("empty batch", "items", lambda s, w: s.ocr.TrainBatch(ocr.TrainBatchRequest(workspace=w))),
    out_of_range(
        "batch of 257",
        "glyphs",
        lambda s, w: s.ocr.PredictBatch(ocr.PredictBatchRequest(workspace=w, glyphs=[Glyph()] * 257)),
    ),
    out_of_range(
        "history too long",
        "history_points",
        lambda s, w: s.ocr.Stats(ocr.StatsRequest(workspace=w, history_points=10_001)),
    ),
    out_of_range("workspace name", "workspace", lambda s, _: s.ocr.Stats(ocr.StatsRequest(workspace="a\nb"))),
    out_of_range(
        "no new name",
        "workspace",
        lambda s, _: s.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest()),
    ),
    out_of_range(
        "negative page",
        "page_size",
        lambda s, w: s.samples.ListSamples(samples.ListSamplesRequest(workspace=w, page_size=-1)),
    ),
    out_of_range(
        "garbage token",
        "page_token",
        lambda s, w: s.samples.ListSamples(samples.ListSamplesRequest(workspace=w, page_token="garbage")),
    ),
    out_of_range("sample 0", "sample_id", lambda s, w: s.samples.GetSample(samples.GetSampleRequest(workspace=w))),
    out_of_range(
        "no prediction", "prediction_id", lambda s, w: s.ocr.Correct(ocr.CorrectRequest(workspace=w, label="a"))
    ),
    out_of_range(
        "unknown format",
        "format",
        lambda s, w: list(s.ocr.Export(ocr.ExportRequest(workspace=w, format=99))),  # type: ignore[arg-type]
    ),
    not_found("workspace", "WORKSPACE", lambda s, _: s.ocr.Stats(ocr.StatsRequest(workspace="nowhere"))),
    not_found(
        "sample", "SAMPLE", lambda s, w: s.samples.GetSample(samples.GetSampleRequest(workspace=w, sample_id=99))
    ),
    not_found(
        "snapshot",
        "SNAPSHOT",
        lambda s, w: s.workspaces.RestoreSnapshot(
            workspaces.RestoreSnapshotRequest(workspace=w, snapshot_id="../../etc/passwd")
        ),
    ),
    not_found(
        "prediction",
        "PREDICTION",
        lambda s, w: s.ocr.Correct(ocr.CorrectRequest(workspace=w, prediction_id="gone", label="a")),
    ),
    not_found("model", "MODEL", predict(model="resnet50")),
    Case("request_id reused", train(label="b", request_id="used"), StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"),
    Case(
        "workspace exists",
        lambda s, w: s.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=w)),
        StatusCode.ALREADY_EXISTS,
        "WORKSPACE_EXISTS",
    ),
    precondition(
        "reset unconfirmed",
        "CONFIRMATION_NEEDED",
        lambda s, w: s.ocr.Reset(ocr.ResetRequest(workspace=w, confirm="yes")),
    ),
    precondition(
        "delete default",
        "DEFAULT_WORKSPACE",
        lambda s, _: s.workspaces.DeleteWorkspace(
            workspaces.DeleteWorkspaceRequest(workspace="default", confirm="default")
        ),
    ),
    precondition(
        "form of itself",
        "VARIANT_CYCLE",
        lambda s, w: s.ocr.LinkVariants(ocr.LinkVariantsRequest(workspace=w, form="a", canonical="a")),
    ),
    precondition(
        "not linked",
        "NOT_LINKED",
        lambda s, w: s.ocr.UnlinkVariants(ocr.UnlinkVariantsRequest(workspace=w, form="a")),
    ),
    precondition("revision not reached", "REVISION_NOT_REACHED", predict(min_revision=10**6)),
    Case("other revision", train(label="a", expected_revision=7), StatusCode.ABORTED, "REVISION_MISMATCH"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_calls(server: RunningServer, workspace: str, case: Case) -> None:
    train(label="a", request_id="used")(server, workspace)
    refusal = expect_refusal(lambda: case.call(server, workspace))
    assert (refusal.code, refusal.reason) == (case.code, case.reason)
    assert refusal.fields == ((case.field,) if case.field else ())
    assert refusal.metadata["call_id"] and refusal.message
    after = server.workspaces.GetWorkspace(workspaces.GetWorkspaceRequest(workspace=workspace)).workspace
    assert after.revision == 1  # nothing was half done


def test_the_refusal_tells_the_revision(server: RunningServer, workspace: str) -> None:
    refusal = expect_refusal(lambda: train(label="a", expected_revision=7)(server, workspace))
    assert (refusal.metadata["expected_revision"], refusal.metadata["revision"]) == ("7", "0")


def test_nothing_to_undo(server: RunningServer, workspace: str) -> None:
    refusal = expect_refusal(lambda: server.ocr.Undo(ocr.UndoRequest(workspace=workspace)))
    assert refusal.code == StatusCode.FAILED_PRECONDITION


def test_a_cycle_of_variants(server: RunningServer, workspace: str) -> None:
    server.ocr.LinkVariants(ocr.LinkVariantsRequest(workspace=workspace, form="a", canonical="b"))
    back = ocr.LinkVariantsRequest(workspace=workspace, form="b", canonical="a")
    refusal = expect_refusal(lambda: server.ocr.LinkVariants(back))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "VARIANT_CYCLE")


def test_predict_before_anything_is_taught_is_no_error(server: RunningServer, workspace: str) -> None:
    answer = predict()(server, workspace)
    assert answer.decision == ocr.DECISION_NOTHING_TAUGHT and not answer.candidates


def test_a_message_over_the_cap(server: RunningServer) -> None:
    request = ocr.TrainRequest(glyph=Glyph(image=b"\0" * (17 * 2**20)), label="a")
    with pytest.raises(grpc.RpcError) as caught:
        server.ocr.Train(request)
    assert caught.value.code() == StatusCode.RESOURCE_EXHAUSTED


def test_a_full_queue(start_server: StartServer) -> None:
    """Two threads, room for one more call: most of many calls at once are told to come back; none is lost."""
    server = start_server(workers=2, max_waiting=1)
    request = ocr.PredictBatchRequest(glyphs=[cross()] * 100)
    calls = [server.ocr.PredictBatch.future(request) for _ in range(12)]
    outcomes = [expect_refusal(call.result) if call.exception() else None for call in calls]
    shed = [outcome for outcome in outcomes if outcome]
    assert shed and len(shed) < len(calls)
    assert all((o.code, o.reason) == (StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL") for o in shed)
    assert all(o.retry_s and o.retry_s > 0 for o in shed)
    assert server.ocr.PredictBatch(request).results


def test_stopping(start_server: StartServer) -> None:
    """A call in progress is finished; new ones get UNAVAILABLE with a time to wait."""
    server = start_server()
    with hold_import(server.channel, server.app.config.data_dir) as held:
        stop = threading.Thread(target=server.app.server.stop, args=(60,))
        stop.start()
        refusal = wait_until(lambda: _refusal(server))
        assert (refusal.code, refusal.reason) == (StatusCode.UNAVAILABLE, "STOPPING")
        assert refusal.retry_s and "repeat" in refusal.message
        assert held.finish().refused_total == 1
    stop.join()


def _refusal(server: RunningServer) -> Refusal | None:
    """Return how a new call is refused, None if it is not."""
    try:
        server.ocr.Stats(ocr.StatsRequest())
    except grpc.RpcError as error:
        return parse(error)
    return None
