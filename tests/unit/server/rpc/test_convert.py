"""Messages and the domain's values say the same: what goes in comes out, field by field."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from google.protobuf.message import Message
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada.v1.common_pb2 import Glyph, Ink, Stroke
from haleganada.v1.online_pb2 import OnlineSettings
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.fewshot.confidence import Decision
from haleganada_server.core.glyphs.types import Glyph as CoreGlyph
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.online_status import OnlineLearning, OnlineStatus
from haleganada_server.core.sample_log.rows import UNDOABLE, ChangeKind
from haleganada_server.core.workspaces import types
from haleganada_server.rpc.convert import common, online, samples
from haleganada_server.rpc.convert import ocr as convert
from haleganada_server.rpc.convert import workspaces as convert_workspaces
from hypothesis import given
from hypothesis import strategies as st

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
points = st.lists(floats, min_size=1, max_size=20)
strokes = st.builds(
    lambda x, t: Stroke(x=x, y=x[::-1], time_ms=x if t else (), pressure=x if t else ()), points, st.booleans()
)
inks = st.builds(Ink, strokes=st.lists(strokes, max_size=5), width=floats, height=floats, pen_width=floats)


@given(inks)
def test_ink_survives(message: Ink) -> None:
    ink = common.glyph(Glyph(ink=message)).ink
    assert ink is not None
    strokes = [Stroke(x=s.x, y=s.y, time_ms=s.t, pressure=s.pressure) for s in ink.strokes]
    assert Ink(strokes=strokes, width=ink.width, height=ink.height, pen_width=ink.pen_width) == message


@given(st.binary())
def test_images_survive(image: bytes) -> None:
    assert common.glyph(Glyph(image=image)) == CoreGlyph(image=image)


def test_absent_is_not_zero() -> None:
    assert common.expected_revision(ocr.UndoRequest()) is None
    assert common.expected_revision(ocr.UndoRequest(expected_revision=0)) == 0
    assert convert.min_revision(ocr.PredictRequest()) is None
    assert convert.min_revision(ocr.PredictBatchRequest(min_revision=0)) == 0


CONFIG = OnlineConfig(8, 3, 0.1, 0.2, 9)
ONLINE = OnlineStatus(
    learning=OnlineLearning("cnn36", CONFIG),
    revision=4,
    labels_known=2,
    learned=3,
    left=1,
    rebuilding=True,
    error="no room",
)
TIME_US = 1_700_000_000_123_456
SNAPSHOT = types.SnapshotInfo(
    snapshot_id="s1",
    name="supper",
    revision=4,
    samples_total=3,
    created_us=TIME_US,
    bytes=99,
    sha256="ab" * 32,
    trash=True,
)
SAMPLE = types.Sample(
    sample_id=7,
    label="ಕಿ",
    canonical="ಕ",
    loss=0.5,
    time_us=TIME_US,
    revision=4,
    predicted="b",
    correction=True,
    picture=b"png",
)
TAUGHT = types.Taught(
    sample_id=7,
    loss=0.5,
    label="ಕಿ",
    trained_as="ಕ",
    labels_known=2,
    samples_total=3,
    revision=4,
    duplicate=True,
)
WORKSPACE = types.WorkspaceInfo(
    name="w",
    samples_total=3,
    labels_known=2,
    revision=4,
    created_us=TIME_US,
    bytes_on_disk=99,
    corrupt=False,
    embedder_hash="cd" * 32,
    samples_to_embed=5,
    model="online",
    online=ONLINE,
)


def make_undone(kind: ChangeKind, duplicate: bool = False) -> types.Undone:
    return types.Undone(kind=kind, undone_revision=3, sample_id=7, label="a", revision=4, duplicate=duplicate)


SAME_NAMES: list[tuple[Any, Message]] = [
    (SNAPSHOT, common.snapshot(SNAPSHOT)),
    (SAMPLE, samples.sample(SAMPLE)),
    (TAUGHT, convert.taught(TAUGHT)),
    (WORKSPACE, convert_workspaces.workspace(WORKSPACE)),
    (ONLINE, online.status(ONLINE)),
    (CONFIG, online.status(ONLINE).settings),
    (linked := types.Linked("a", ("a", "b"), 4, True), convert.linked(linked)),
    (parted := types.Unlinked("a", 4, True), convert.unlinked(parted)),
    (undone := make_undone(ChangeKind.FORGET, duplicate=True), convert.undone(undone)),
    (fixed := types.Corrected(TAUGHT, "b", 3), convert.corrected(fixed)),
]
OTHERWISE_NAMED = {
    "time_us", "created_us", "bytes", "bytes_on_disk", "trained_as", "corrupt", "kind", "taught", "online",
    "learning", "learned", "left",
}  # fmt: skip


def test_a_workspaces_network_arrives() -> None:
    arrived = convert_workspaces.workspace(WORKSPACE).online
    assert (arrived.start, arrived.samples_learned, arrived.samples_left) == ("cnn36", 3, 1)
    assert arrived.error == "no room"
    assert not online.status(OnlineStatus(learning=ONLINE.learning)).HasField("revision")


def test_settings_that_are_not_given_have_their_defaults() -> None:
    assert online.config(OnlineSettings()) == OnlineConfig()
    assert online.config(OnlineSettings(replay=0, seed=3)) == OnlineConfig(replay=0, seed=3)


@pytest.mark.parametrize(("value", "message"), SAME_NAMES, ids=lambda x: type(x).__name__)
def test_every_field_arrives(value: Any, message: Message) -> None:
    """Every value differs from its field's default, so a forgotten field cannot go unseen."""
    for field in {field.name for field in fields(value)} - OTHERWISE_NAMED:
        sent, arrived = getattr(value, field), getattr(message, field)
        assert arrived == sent or list(arrived) == list(sent), field


def test_what_is_named_otherwise() -> None:
    assert common.snapshot(SNAPSHOT).create_time.ToMicroseconds() == SNAPSHOT.created_us
    assert common.snapshot(SNAPSHOT).size_bytes == convert_workspaces.workspace(WORKSPACE).size_bytes == 99
    assert samples.sample(SAMPLE).create_time.ToMicroseconds() == SAMPLE.time_us
    assert convert_workspaces.workspace(WORKSPACE).state == workspaces.WORKSPACE_STATE_READY
    assert convert.taught(TAUGHT).durable and convert.taught(TAUGHT).canonical == "ಕ"
    assert convert.corrected(types.Corrected(TAUGHT, "b", 3)).taught == convert.taught(TAUGHT)


@pytest.mark.parametrize("kind", [kind for kind in ChangeKind if kind in UNDOABLE])
def test_every_undoable_kind_has_its_number(kind: ChangeKind) -> None:
    message = convert.undone(make_undone(kind))
    assert ocr.ChangeKind.Name(message.kind) == f"CHANGE_KIND_{kind.name}"


@pytest.mark.parametrize("decision", Decision)
def test_every_decision_has_its_number(decision: Decision) -> None:
    message = convert.prediction(
        Prediction(candidates=(), unknown_probability=1.0, decision=decision, revision=4, prediction_id="p")
    )
    assert ocr.Decision.Name(message.decision) == f"DECISION_{decision.name}"


def test_every_format_has_its_number() -> None:
    numbers = [number for number in ocr.ExportFormat.values() if number]
    assert {convert.export_format(number) for number in numbers} == set(types.TransferFormat)
    assert convert.export_format(ocr.EXPORT_FORMAT_UNSPECIFIED) is None
    with pytest.raises(InvalidInput):
        convert.export_format(99)  # type: ignore[arg-type]
