"""Convert messages of the contract to the client's dataclasses and back. Fields of the same name are copied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import timezone
from functools import cache
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from haleganada.v1 import (
    common_pb2,
    ocr_service_pb2,
    online_pb2,
    sample_service_pb2,
    server_service_pb2,
    workspace_service_pb2,
)

from .. import types
from .build import build

FOLDER_NAMES = {
    "auto": common_pb2.FOLDER_NAMES_UNSPECIFIED,
    "text": common_pb2.FOLDER_NAMES_TEXT,
    "code-points": common_pb2.FOLDER_NAMES_CODE_POINTS,
}
Made = TypeVar("Made")
KNOWN_DRAWINGS = {
    "": ocr_service_pb2.KNOWN_DRAWINGS_UNSPECIFIED,
    "tell": ocr_service_pb2.KNOWN_DRAWINGS_TELL,
    "skip": ocr_service_pb2.KNOWN_DRAWINGS_SKIP,
}
SNAPSHOT_KINDS = {
    name.removeprefix("SNAPSHOT_KIND_").lower(): number for name, number in common_pb2.SnapshotKind.items() if number
}


def from_message(kind: type[Made], message: Any, /, **special: Any) -> Made:
    """Make a dataclass of a message's fields of the same names; special: the fields that differ."""
    getters = _field_getters(kind, message.DESCRIPTOR)  # type: ignore[arg-type]
    return kind(**{name: get(message, name) for name, get in getters if name not in special}, **special)


@cache
def _field_getters(kind: type, message_type: Any) -> list[tuple[str, Callable[[Any, str], Any]]]:
    """Return a getter for each field; cached, because a prediction has forty fields."""
    descriptors = message_type.fields_by_name
    return [(f.name, _field_getter(descriptors[f.name]) if f.name in descriptors else getattr) for f in fields(kind)]


def _field_getter(field: Any) -> Callable[[Any, str], Any]:
    if field.message_type is Timestamp.DESCRIPTOR:
        return _get_time
    if field.has_presence:
        return _get_optional
    return _get_repeated if field.is_repeated else getattr


def _get_time(message: Any, name: str) -> Any:
    return getattr(message, name).ToDatetime(tzinfo=timezone.utc) if message.HasField(name) else None


def _get_optional(message: Any, name: str) -> Any:
    return getattr(message, name) if message.HasField(name) else None


def _get_repeated(message: Any, name: str) -> Any:
    return tuple(getattr(message, name))


def to_tuple(make: Callable[[Any], Made], messages: Any) -> tuple[Made, ...]:
    """Convert messages into a tuple."""
    return tuple(make(message) for message in messages)


def prediction(message: ocr_service_pb2.PredictResponse) -> types.Prediction:
    name = ocr_service_pb2.Decision.Name(message.decision).removeprefix("DECISION_").lower()
    candidates = to_tuple(lambda candidate: from_message(types.Candidate, candidate), message.candidates)
    return from_message(types.Prediction, message, candidates=candidates, decision=types.Decision(name))


def taught(message: ocr_service_pb2.TrainResponse) -> types.Taught:
    return from_message(types.Taught, message)


def item_error(message: common_pb2.ItemError) -> types.ItemError:
    return from_message(types.ItemError, message)


def batch_item(result: Any, good: str, make: Callable[[Any], Made]) -> Made | types.ItemError:
    """Convert the result of one item of a batch: its answer, in the field `good`, or its error."""
    return make(getattr(result, good)) if result.WhichOneof("result") == good else item_error(result.error)


def undone(message: ocr_service_pb2.UndoResponse) -> types.Undone:
    kind = ocr_service_pb2.ChangeKind.Name(message.kind).removeprefix("CHANGE_KIND_").lower()
    return from_message(types.Undone, message, kind=kind)


def sample(message: Any) -> types.Sample:
    return from_message(types.Sample, message)


def relabeled(message: sample_service_pb2.UpdateSampleResponse) -> types.Relabeled:
    return from_message(
        types.Relabeled, message.sample, workspace_revision=message.revision, duplicate=message.duplicate
    )


def snapshot(message: common_pb2.Snapshot) -> types.Snapshot:
    kind = common_pb2.SnapshotKind.Name(message.kind).removeprefix("SNAPSHOT_KIND_").lower()
    return from_message(types.Snapshot, message, kind=kind)


def workspace(message: workspace_service_pb2.Workspace) -> types.WorkspaceInfo:
    corrupt = message.state == workspace_service_pb2.WORKSPACE_STATE_CORRUPT
    online = online_status(message.online) if message.HasField("online") else None
    return from_message(types.WorkspaceInfo, message, corrupt=corrupt, online=online)


def online_settings(settings: types.OnlineSettings) -> online_pb2.OnlineSettings:
    """Leave out what is None."""
    return build(online_pb2.OnlineSettings, **{field.name: getattr(settings, field.name) for field in fields(settings)})


def online_status(message: online_pb2.OnlineStatus) -> types.OnlineStatus:
    return from_message(types.OnlineStatus, message, settings=from_message(types.OnlineSettings, message.settings))


def import_report(message: ocr_service_pb2.ImportResponse) -> types.ImportReport:
    refused = to_tuple(lambda item: types.RefusedItem(item.item, item_error(item.error)), message.refused)
    before = snapshot(message.before) if message.HasField("before") else None
    return from_message(types.ImportReport, message, refused=refused, before=before, notes=tuple(message.notes))


def _quotas(messages: Iterable[ocr_service_pb2.Quota]) -> tuple[types.Quota, ...]:
    return to_tuple(lambda value: from_message(types.Quota, value), messages)


def server_status(message: server_service_pb2.ServerStatus) -> types.ServerStatus:
    latencies = to_tuple(lambda value: from_message(types.MethodLatency, value), message.latencies)
    replica = from_message(types.ReplicaStatus, message.replica) if message.HasField("replica") else None
    return from_message(
        types.ServerStatus, message, latencies=latencies, quotas=_quotas(message.quotas), replica=replica
    )


def stats(message: ocr_service_pb2.StatsResponse) -> types.Stats:
    return from_message(
        types.Stats,
        message,
        labels=to_tuple(lambda value: from_message(types.LabelStats, value), message.labels),
        history=to_tuple(lambda value: from_message(types.HistoryPoint, value), message.history),
        confused_pairs=to_tuple(lambda value: from_message(types.ConfusedPair, value), message.confused_pairs),
        teach_next=to_tuple(lambda value: from_message(types.TeachNext, value), message.teach_next),
        suspects=to_tuple(lambda value: from_message(types.Suspect, value), message.suspects),
        near_duplicates=to_tuple(lambda value: from_message(types.NearDuplicate, value), message.near_duplicates),
        latencies=to_tuple(lambda value: from_message(types.MethodLatency, value), message.latencies),
        versions=dict(message.versions),
        links={link.form: link.canonical for link in message.links},
        quotas=_quotas(message.quotas),
    )
