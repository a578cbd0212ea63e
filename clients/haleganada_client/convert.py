"""Messages of the contract <-> the client's dataclasses. Fields of the same name are copied; the rest is said here."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from datetime import timezone
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from haleganada.v1 import common_pb2, ocr_service_pb2, online_pb2, workspace_service_pb2

from . import types

Made = TypeVar("Made")
Drawing = types.Drawing


def glyph(drawing: Drawing) -> common_pb2.Glyph:
    """Raises OSError for a path that cannot be read."""
    if isinstance(drawing, (str, os.PathLike)):
        drawing = Path(drawing).read_bytes()
    if isinstance(drawing, bytes):
        return common_pb2.Glyph(image=drawing)
    strokes = [common_pb2.Stroke(x=s.x, y=s.y, time_ms=s.time_ms, pressure=s.pressure) for s in drawing.strokes]
    ink = common_pb2.Ink(strokes=strokes, width=drawing.width, height=drawing.height, pen_width=drawing.pen_width)
    return common_pb2.Glyph(ink=ink)


def copied(kind: type[Made], message: Any, /, **special: Any) -> Made:
    """Make a dataclass of a message's fields of the same names; special: the fields that differ."""
    readers = _readers(kind, message.DESCRIPTOR)  # type: ignore[arg-type]
    return kind(**{name: read(message, name) for name, read in readers if name not in special}, **special)


@cache
def _readers(kind: type, message_type: Any) -> list[tuple[str, Callable[[Any, str], Any]]]:
    """How to read each field; found once, because a prediction has forty of them."""
    described = message_type.fields_by_name
    return [(f.name, _reader(described[f.name]) if f.name in described else getattr) for f in fields(kind)]


def _reader(field: Any) -> Callable[[Any, str], Any]:
    if field.message_type is Timestamp.DESCRIPTOR:
        return _time
    if field.has_presence:
        return _optional
    return _repeated if field.is_repeated else getattr


def _time(message: Any, name: str) -> Any:
    return getattr(message, name).ToDatetime(tzinfo=timezone.utc) if message.HasField(name) else None


def _optional(message: Any, name: str) -> Any:
    return getattr(message, name) if message.HasField(name) else None


def _repeated(message: Any, name: str) -> Any:
    return tuple(getattr(message, name))


def many(make: Callable[[Any], Made], messages: Any) -> tuple[Made, ...]:
    """Convert messages into a tuple."""
    return tuple(make(message) for message in messages)


def prediction(message: ocr_service_pb2.PredictResponse) -> types.Prediction:
    name = ocr_service_pb2.Decision.Name(message.decision).removeprefix("DECISION_").lower()
    candidates = many(lambda candidate: copied(types.Candidate, candidate), message.candidates)
    return copied(types.Prediction, message, candidates=candidates, decision=types.Decision(name))


def taught(message: ocr_service_pb2.TrainResponse) -> types.Taught:
    return copied(types.Taught, message)


def item_error(message: common_pb2.ItemError) -> types.ItemError:
    return copied(types.ItemError, message)


def undone(message: ocr_service_pb2.UndoResponse) -> types.Undone:
    kind = ocr_service_pb2.ChangeKind.Name(message.kind).removeprefix("CHANGE_KIND_").lower()
    return copied(types.Undone, message, kind=kind)


def sample(message: Any) -> types.Sample:
    return copied(types.Sample, message)


def snapshot(message: common_pb2.Snapshot) -> types.Snapshot:
    return copied(types.Snapshot, message)


def workspace(message: workspace_service_pb2.Workspace) -> types.WorkspaceInfo:
    corrupt = message.state == workspace_service_pb2.WORKSPACE_STATE_CORRUPT
    online = online_status(message.online) if message.HasField("online") else None
    return copied(types.WorkspaceInfo, message, corrupt=corrupt, online=online)


def online_settings(settings: types.OnlineSettings) -> online_pb2.OnlineSettings:
    """Leave out what is None."""
    return online_pb2.OnlineSettings(**{field.name: getattr(settings, field.name) for field in fields(settings)})


def online_status(message: online_pb2.OnlineStatus) -> types.OnlineStatus:
    return copied(types.OnlineStatus, message, settings=copied(types.OnlineSettings, message.settings))


def import_report(message: ocr_service_pb2.ImportResponse) -> types.ImportReport:
    refused = many(lambda item: types.RefusedItem(item.item, item_error(item.error)), message.refused)
    before = snapshot(message.before) if message.HasField("before") else None
    return copied(types.ImportReport, message, refused=refused, before=before)


def stats(message: ocr_service_pb2.StatsResponse) -> types.Stats:
    return copied(
        types.Stats,
        message,
        labels=many(lambda value: copied(types.LabelStats, value), message.labels),
        history=many(lambda value: copied(types.HistoryPoint, value), message.history),
        confused_pairs=many(lambda value: copied(types.ConfusedPair, value), message.confused_pairs),
        teach_next=many(lambda value: copied(types.TeachNext, value), message.teach_next),
        suspects=many(lambda value: copied(types.Suspect, value), message.suspects),
        near_duplicates=many(lambda value: copied(types.NearDuplicate, value), message.near_duplicates),
        latencies=many(lambda value: copied(types.MethodLatency, value), message.latencies),
        versions=dict(message.versions),
    )
