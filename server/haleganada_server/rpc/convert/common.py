"""Messages of common.proto and of several services <-> the domain's values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from haleganada.v1 import common_pb2, ocr_service_pb2, sample_service_pb2, workspace_service_pb2

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.outcomes import Outcome, map_ok
from haleganada_server.core.workspaces.types import SnapshotInfo, SnapshotKind
from haleganada_server.rpc import validate

_SNAPSHOT_KINDS = {
    SnapshotKind.SAVED: common_pb2.SNAPSHOT_KIND_SAVED,
    SnapshotKind.AUTOMATIC: common_pb2.SNAPSHOT_KIND_AUTOMATIC,
    SnapshotKind.BEFORE_IMPORT: common_pb2.SNAPSHOT_KIND_BEFORE_IMPORT,
    SnapshotKind.TRASH: common_pb2.SNAPSHOT_KIND_TRASH,
}
_FOLDER_NAMES = {
    common_pb2.FOLDER_NAMES_UNSPECIFIED: FolderNames.AUTO,
    common_pb2.FOLDER_NAMES_TEXT: FolderNames.TEXT,
    common_pb2.FOLDER_NAMES_CODE_POINTS: FolderNames.CODE_POINTS,
}


def glyph(message: common_pb2.Glyph) -> Glyph:
    """Convert a drawing. Raises InvalidInput without a source, or with more ink than the contract allows."""
    source = message.WhichOneof("source")
    if source == "image":
        return Glyph(image=message.image, synthetic=message.synthetic)
    if source == "ink":
        if message.synthetic:
            raise InvalidInput("glyph.synthetic", "is for images; leave it out for ink, which people draw")
        return Glyph(ink=_ink(message.ink))
    raise InvalidInput("glyph", "is missing; send an image or ink")


def _ink(message: common_pb2.Ink) -> Ink:
    validate.ink_size(len(message.strokes), sum(len(stroke.x) for stroke in message.strokes))
    strokes = (Stroke(tuple(s.x), tuple(s.y), tuple(s.time_ms), tuple(s.pressure)) for s in message.strokes)
    return Ink(tuple(strokes), message.width, message.height, message.pen_width)


def glyphs(messages: Iterable[common_pb2.Glyph]) -> list[Outcome[Glyph]]:
    """Return each drawing, or what is wrong with it."""
    return map_ok(glyph, messages)


def expected_revision(
    message: ocr_service_pb2.TrainRequest
    | ocr_service_pb2.CorrectRequest
    | ocr_service_pb2.LinkVariantsRequest
    | ocr_service_pb2.UnlinkVariantsRequest
    | ocr_service_pb2.UndoRequest
    | ocr_service_pb2.ResetRequest
    | ocr_service_pb2.ImportHeader
    | sample_service_pb2.UpdateSampleRequest
    | sample_service_pb2.DeleteSampleRequest
    | workspace_service_pb2.RestoreSnapshotRequest,
) -> int | None:
    """Return the expected revision; None if it is absent."""
    return message.expected_revision if message.HasField("expected_revision") else None


def snapshot(value: SnapshotInfo) -> common_pb2.Snapshot:
    return common_pb2.Snapshot(
        snapshot_id=value.snapshot_id,
        name=value.name,
        revision=value.revision,
        samples_total=value.samples_total,
        create_time=timestamp(value.created_us),
        size_bytes=value.bytes,
        sha256=value.sha256,
        trash=value.trash,
        kind=_SNAPSHOT_KINDS[value.kind],
    )


def snapshot_kinds(values: Sequence[common_pb2.SnapshotKind.ValueType]) -> set[SnapshotKind]:
    """Raises InvalidInput for one that does not exist."""
    known = {value: kind for kind, value in _SNAPSHOT_KINDS.items()}
    for value in values:
        if value not in known:
            raise InvalidInput("kinds", f"has {value}, which is not a kind of snapshot; see SnapshotKind")
    return {known[value] for value in values}


def timestamp(time_us: int) -> Timestamp:
    """time_us: microseconds since 1970 UTC."""
    return Timestamp(seconds=time_us // 1_000_000, nanos=time_us % 1_000_000 * 1000)


def folder_names(field: str, message: common_pb2.FolderNames.ValueType) -> FolderNames:
    """Convert a rule. Raises InvalidInput for a number that is not known."""
    if message not in _FOLDER_NAMES:
        raise InvalidInput(field, f"{message} is not known to this server; leave it out")
    return _FOLDER_NAMES[message]
