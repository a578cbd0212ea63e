"""Messages to domain values and back, in one place."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from haleganada.v1 import common_pb2, ocr_service_pb2, sample_service_pb2, workspace_service_pb2

from haleganada_server.core import types
from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.labels import code_points

from .errors import to_item_error

_DECISION = {
    types.Decision.RECOGNISED: ocr_service_pb2.DECISION_RECOGNISED,
    types.Decision.UNSURE: ocr_service_pb2.DECISION_UNSURE,
    types.Decision.UNKNOWN: ocr_service_pb2.DECISION_UNKNOWN,
    types.Decision.NOTHING_TAUGHT: ocr_service_pb2.DECISION_NOTHING_TAUGHT,
}
_CHANGE = {
    types.ChangeKind.TEACH: ocr_service_pb2.CHANGE_KIND_TEACH,
    types.ChangeKind.CORRECT: ocr_service_pb2.CHANGE_KIND_CORRECT,
    types.ChangeKind.RELABEL: ocr_service_pb2.CHANGE_KIND_RELABEL,
    types.ChangeKind.FORGET: ocr_service_pb2.CHANGE_KIND_FORGET,
    types.ChangeKind.LINK: ocr_service_pb2.CHANGE_KIND_LINK,
    types.ChangeKind.UNLINK: ocr_service_pb2.CHANGE_KIND_UNLINK,
}
_FORMAT = {
    types.TransferFormat.ARCHIVE: ocr_service_pb2.EXPORT_FORMAT_HALEGANADA_ARCHIVE,
    types.TransferFormat.SEED_FILES: ocr_service_pb2.EXPORT_FORMAT_SEED_FILES,
    types.TransferFormat.JSONL: ocr_service_pb2.EXPORT_FORMAT_JSONL,
    types.TransferFormat.IMAGE_FOLDER: ocr_service_pb2.EXPORT_FORMAT_IMAGE_FOLDER,
}
_FORMAT_OF = {value: form for form, value in _FORMAT.items()}


def glyph(message: common_pb2.Glyph) -> types.Glyph:
    """Raises InvalidInput if no source is set."""
    source = message.WhichOneof("source")
    if source == "image":
        return types.Glyph(image=message.image)
    if source == "ink":
        return types.Glyph(ink=_ink(message.ink))
    raise InvalidInput("glyph", "is missing; send an image or ink")


def _ink(message: common_pb2.Ink) -> types.Ink:
    strokes = tuple(types.Stroke(tuple(s.x), tuple(s.y), tuple(s.t), tuple(s.pressure)) for s in message.strokes)
    return types.Ink(strokes, message.width, message.height, message.pen_width)


def glyph_or_error(message: common_pb2.Glyph) -> types.Glyph | HaleganadaError:
    """For batches, where one bad item must not stop the others."""
    try:
        return glyph(message)
    except HaleganadaError as error:
        return error


def transfer_format(value: int) -> types.TransferFormat | None:
    """None for unspecified. Raises InvalidInput for a value of a later contract."""
    if value == ocr_service_pb2.EXPORT_FORMAT_UNSPECIFIED:
        return None
    if value not in _FORMAT_OF:
        raise InvalidInput("format", f"{value} is not a format that this server knows")
    return _FORMAT_OF[value]  # type: ignore[index]


def optional(message: object, field: str) -> int | None:
    """An optional int64 field; None where it is absent."""
    return getattr(message, field) if message.HasField(field) else None  # type: ignore[attr-defined]


def taught(value: types.Taught) -> ocr_service_pb2.TrainResponse:
    return ocr_service_pb2.TrainResponse(
        sample_id=value.sample_id,
        loss=value.loss,
        trained_as=value.trained_as,
        labels_known=value.labels_known,
        samples_total=value.samples_total,
        revision=value.revision,
        durable=True,
        duplicate=value.duplicate,
        label=value.label,
    )


def train_result(outcome: types.Taught | HaleganadaError) -> ocr_service_pb2.TrainItemResult:
    if isinstance(outcome, HaleganadaError):
        return ocr_service_pb2.TrainItemResult(error=to_item_error(outcome))
    return ocr_service_pb2.TrainItemResult(taught=taught(outcome))


def prediction(value: types.Prediction) -> ocr_service_pb2.PredictResponse:
    return ocr_service_pb2.PredictResponse(
        candidates=[_candidate(candidate) for candidate in value.candidates],
        unknown_probability=value.unknown_probability,
        decision=_DECISION[value.decision],
        revision=value.revision,
        prediction_id=value.prediction_id,
    )


def _candidate(value: types.Candidate) -> ocr_service_pb2.Candidate:
    return ocr_service_pb2.Candidate(
        label=value.label,
        probability=value.probability,
        canonical=value.canonical,
        canonical_probability=value.canonical_probability,
        forms=value.forms,
        code_points=code_points(value.label),
        samples=value.samples,
    )


def predict_result(outcome: types.Prediction | HaleganadaError) -> ocr_service_pb2.PredictItemResult:
    if isinstance(outcome, HaleganadaError):
        return ocr_service_pb2.PredictItemResult(error=to_item_error(outcome))
    return ocr_service_pb2.PredictItemResult(prediction=prediction(outcome))


def corrected(value: types.Corrected) -> ocr_service_pb2.CorrectResponse:
    return ocr_service_pb2.CorrectResponse(
        taught=taught(value.taught), predicted=value.predicted, predicted_revision=value.predicted_revision
    )


def undone(value: types.Undone) -> ocr_service_pb2.UndoResponse:
    return ocr_service_pb2.UndoResponse(
        kind=_CHANGE[value.kind],
        undone_revision=value.undone_revision,
        sample_id=value.sample_id,
        label=value.label,
        revision=value.revision,
        duplicate=value.duplicate,
    )


def sample(value: types.Sample) -> sample_service_pb2.Sample:
    return sample_service_pb2.Sample(
        sample_id=value.sample_id,
        label=value.label,
        canonical=value.canonical,
        loss=value.loss,
        time=timestamp(value.time_us),
        revision=value.revision,
        predicted=value.predicted,
        correction=value.correction,
        picture=value.picture,
    )


def snapshot(value: types.SnapshotInfo) -> ocr_service_pb2.Snapshot:
    return ocr_service_pb2.Snapshot(
        snapshot_id=value.snapshot_id,
        name=value.name,
        revision=value.revision,
        samples_total=value.samples_total,
        created=timestamp(value.created_us),
        bytes=value.bytes,
        sha256=value.sha256,
        trash=value.trash,
    )


def workspace(value: types.WorkspaceInfo) -> workspace_service_pb2.Workspace:
    ready, corrupt = workspace_service_pb2.WORKSPACE_STATE_READY, workspace_service_pb2.WORKSPACE_STATE_CORRUPT
    return workspace_service_pb2.Workspace(
        name=value.name,
        samples_total=value.samples_total,
        labels_known=value.labels_known,
        revision=value.revision,
        created=timestamp(value.created_us),
        bytes_on_disk=value.bytes_on_disk,
        state=corrupt if value.corrupt else ready,
        embedder_hash=value.embedder_hash,
    )


def stats(value: types.Stats) -> ocr_service_pb2.StatsResponse:
    """Without the figures of the server, which the servicer adds."""
    return ocr_service_pb2.StatsResponse(
        revision=value.revision,
        samples_total=value.samples_total,
        labels_known=value.labels_known,
        variant_groups=value.variant_groups,
        average_loss=value.average_loss,
        min_loss=value.min_loss,
        max_loss=value.max_loss,
        accuracy=value.accuracy,
        accuracy_samples=value.accuracy_samples,
        corrections=value.corrections,
        labels=[_label_stats(label) for label in value.labels],
        history=[_history_point(point) for point in value.history],
        confused_pairs=[
            ocr_service_pb2.ConfusedPair(label=label, predicted=predicted, count=count)
            for label, predicted, count in value.confused
        ],
        teach_next=[_teach_next(advice) for advice in value.teach_next],
        suspects=[
            ocr_service_pb2.Suspect(
                sample_id=s.sample_id, label=s.label, looks_like=s.looks_like, probability=s.probability
            )
            for s in value.suspects
        ],
        bytes_on_disk=value.bytes_on_disk,
    )


def _label_stats(value: types.LabelStats) -> ocr_service_pb2.LabelStats:
    return ocr_service_pb2.LabelStats(
        label=value.label,
        canonical=value.canonical,
        samples=value.samples,
        average_loss=value.average_loss,
        accuracy=value.accuracy,
        newest_sample_id=value.newest_sample_id,
    )


def _history_point(value: types.HistoryPoint) -> ocr_service_pb2.HistoryPoint:
    return ocr_service_pb2.HistoryPoint(
        revision=value.revision,
        time=timestamp(value.time_us),
        loss=value.loss,
        recognised=value.recognised,
        new_label=value.new_label,
        label=value.label,
    )


def _teach_next(value: types.TeachNext) -> ocr_service_pb2.TeachNext:
    confused, few = ocr_service_pb2.TEACH_REASON_CONFUSED, ocr_service_pb2.TEACH_REASON_FEW_SAMPLES
    reason = confused if value.confused_with else few
    return ocr_service_pb2.TeachNext(label=value.label, reason=reason, confused_with=value.confused_with)


def imported(value: types.Imported) -> ocr_service_pb2.ImportResponse:
    return ocr_service_pb2.ImportResponse(
        imported=value.imported,
        duplicates=value.duplicates,
        refused=[ocr_service_pb2.RefusedItem(item=r.item, error=to_item_error(r.error)) for r in value.refused],
        refused_total=value.refused_total,
        revision=value.revision,
        before=snapshot(value.before) if value.before else None,
    )


def export_header(
    value: types.TransferFormat, name: str, kind: str, revision: int, samples: int
) -> ocr_service_pb2.ExportHeader:
    return ocr_service_pb2.ExportHeader(
        format=_FORMAT[value], file_name=name, content_type=kind, revision=revision, samples_total=samples
    )


def timestamp(microseconds: int) -> Timestamp:
    """Microseconds since 1970 UTC as a message."""
    message = Timestamp()
    message.FromMicroseconds(microseconds)
    return message
