"""Messages of OCRService <-> the domain's values."""

from __future__ import annotations

from collections.abc import Iterable

from haleganada.v1 import common_pb2, ocr_service_pb2

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.fewshot.confidence import Decision
from haleganada_server.core.knowledge.prediction import Candidate, Prediction
from haleganada_server.core.labels import code_points
from haleganada_server.core.outcomes import Outcome, map_ok
from haleganada_server.core.sample_log.rows import ChangeKind
from haleganada_server.core.workspaces.ports import ExportFile
from haleganada_server.core.workspaces.types import (
    Corrected,
    Imported,
    KnownDrawings,
    Lesson,
    Linked,
    Taught,
    TransferFormat,
    Undone,
    Unlinked,
)
from haleganada_server.rpc import validate
from haleganada_server.rpc.errors import item_error

from .common import expected_revision, glyph, snapshot

_DECISIONS = {
    Decision.RECOGNIZED: ocr_service_pb2.DECISION_RECOGNIZED,
    Decision.UNSURE: ocr_service_pb2.DECISION_UNSURE,
    Decision.UNKNOWN: ocr_service_pb2.DECISION_UNKNOWN,
    Decision.NOTHING_TAUGHT: ocr_service_pb2.DECISION_NOTHING_TAUGHT,
}
_UNDOABLE_KINDS = {
    ChangeKind.TEACH: ocr_service_pb2.CHANGE_KIND_TEACH,
    ChangeKind.CORRECT: ocr_service_pb2.CHANGE_KIND_CORRECT,
    ChangeKind.RELABEL: ocr_service_pb2.CHANGE_KIND_RELABEL,
    ChangeKind.FORGET: ocr_service_pb2.CHANGE_KIND_FORGET,
    ChangeKind.LINK: ocr_service_pb2.CHANGE_KIND_LINK,
    ChangeKind.UNLINK: ocr_service_pb2.CHANGE_KIND_UNLINK,
}
_KNOWN_DRAWINGS = {
    ocr_service_pb2.KNOWN_DRAWINGS_UNSPECIFIED: KnownDrawings.IGNORE,
    ocr_service_pb2.KNOWN_DRAWINGS_TELL: KnownDrawings.TELL,
    ocr_service_pb2.KNOWN_DRAWINGS_SKIP: KnownDrawings.SKIP,
}
_FORMATS = {
    TransferFormat.ARCHIVE: ocr_service_pb2.EXPORT_FORMAT_HALEGANADA_ARCHIVE,
    TransferFormat.SEED_FILES: ocr_service_pb2.EXPORT_FORMAT_SEED_FILES,
    TransferFormat.JSONL: ocr_service_pb2.EXPORT_FORMAT_JSONL,
    TransferFormat.IMAGE_FOLDER: ocr_service_pb2.EXPORT_FORMAT_IMAGE_FOLDER,
}
_FORMATS_BACK = {message: form for form, message in _FORMATS.items()}


def lesson(message: ocr_service_pb2.TrainRequest) -> Lesson:
    """Convert a drawing to learn. Raises InvalidInput."""
    return Lesson(
        glyph=glyph(message.glyph),
        label=message.label,
        variant_of=message.variant_of,
        request_id=validate.request_id(message.request_id),
        expected_revision=expected_revision(message),
        known=known_drawings(message.known_drawings),
    )


def lessons(message: ocr_service_pb2.TrainBatchRequest) -> list[Outcome[Lesson]]:
    """Return each item, or what is wrong with it. Raises InvalidInput for what concerns all of them."""
    known, batch_id = known_drawings(message.known_drawings), validate.batch_id(message.batch_id)

    def lesson_of(item: ocr_service_pb2.TrainItem) -> Lesson:
        request_id = validate.request_id(item.request_id)
        return Lesson(glyph(item.glyph), item.label, item.variant_of, request_id, known=known, batch_id=batch_id)

    return map_ok(lesson_of, message.items)


def known_drawings(message: ocr_service_pb2.KnownDrawings.ValueType) -> KnownDrawings:
    """Convert what to do with known drawings. Raises InvalidInput for a number that is not known."""
    if message not in _KNOWN_DRAWINGS:
        raise InvalidInput("known_drawings", f"{message} is not known to this server")
    return _KNOWN_DRAWINGS[message]


def min_revision(message: ocr_service_pb2.PredictRequest | ocr_service_pb2.PredictBatchRequest) -> int | None:
    """Return the least revision that may answer; None if it is absent."""
    return message.min_revision if message.HasField("min_revision") else None


def export_format(message: ocr_service_pb2.ExportFormat.ValueType) -> TransferFormat | None:
    """Convert a format; None for unspecified. Raises InvalidInput for a number that is not known."""
    if message == ocr_service_pb2.EXPORT_FORMAT_UNSPECIFIED:
        return None
    if message not in _FORMATS_BACK:
        raise InvalidInput("format", f"{message} is not a format of this server")
    return _FORMATS_BACK[message]


def taught(value: Taught, *, learned: bool = False) -> ocr_service_pb2.TrainResponse:
    """learned: the call waited until the workspace's own network had learned the drawing."""
    return ocr_service_pb2.TrainResponse(
        sample_id=value.sample_id,
        loss=value.loss,
        canonical=value.trained_as,
        labels_known=value.labels_known,
        samples_total=value.samples_total,
        revision=value.revision,
        durable=True,
        duplicate=value.duplicate,
        label=value.label,
        learned=learned,
        known_sample_id=value.known_sample_id,
    )


def taught_batch(outcomes: Iterable[Outcome[Taught]], revision: int) -> ocr_service_pb2.TrainBatchResponse:
    """revision: the workspace's, for a batch in which nothing was taught."""
    results, reached = [], 0
    for outcome in outcomes:
        if isinstance(outcome, Taught):
            reached = max(reached, outcome.revision)
            results.append(ocr_service_pb2.TrainItemResult(taught=taught(outcome)))
        else:
            results.append(ocr_service_pb2.TrainItemResult(error=item_error(outcome)))
    return ocr_service_pb2.TrainBatchResponse(results=results, revision=reached or revision)


def prediction(value: Prediction) -> ocr_service_pb2.PredictResponse:
    return ocr_service_pb2.PredictResponse(
        candidates=[_candidate(candidate) for candidate in value.candidates],
        unknown_probability=value.unknown_probability,
        decision=_DECISIONS[value.decision],
        revision=value.revision,
        prediction_id=value.prediction_id,
        model=value.model,
        provisional=value.provisional,
        knowledge_age_ms=int(value.knowledge_age_s * 1000),
    )


def _candidate(value: Candidate) -> ocr_service_pb2.Candidate:
    return ocr_service_pb2.Candidate(
        label=value.label,
        probability=value.probability,
        canonical=value.canonical,
        canonical_probability=value.canonical_probability,
        forms=value.forms,
        code_points=code_points(value.label),
        samples=value.samples,
        class_id=value.class_id,
        canonical_class_id=value.canonical_class_id,
    )


def predictions(outcomes: Iterable[Outcome[Prediction]]) -> ocr_service_pb2.PredictBatchResponse:
    return ocr_service_pb2.PredictBatchResponse(
        results=[
            ocr_service_pb2.PredictItemResult(prediction=prediction(outcome))
            if isinstance(outcome, Prediction)
            else ocr_service_pb2.PredictItemResult(error=item_error(outcome))
            for outcome in outcomes
        ]
    )


def corrected(value: Corrected) -> ocr_service_pb2.CorrectResponse:
    return ocr_service_pb2.CorrectResponse(
        taught=taught(value.taught), predicted=value.predicted, predicted_revision=value.predicted_revision
    )


def linked(value: Linked) -> ocr_service_pb2.LinkVariantsResponse:
    return ocr_service_pb2.LinkVariantsResponse(
        canonical=value.canonical, forms=value.forms, revision=value.revision, duplicate=value.duplicate
    )


def unlinked(value: Unlinked) -> ocr_service_pb2.UnlinkVariantsResponse:
    return ocr_service_pb2.UnlinkVariantsResponse(
        former_canonical=value.former_canonical, revision=value.revision, duplicate=value.duplicate
    )


def undone(value: Undone) -> ocr_service_pb2.UndoResponse:
    return ocr_service_pb2.UndoResponse(
        kind=_UNDOABLE_KINDS[value.kind],
        undone_revision=value.undone_revision,
        sample_id=value.sample_id,
        label=value.label,
        revision=value.revision,
        duplicate=value.duplicate,
        changes=value.changes,
    )


def export_header(value: ExportFile) -> ocr_service_pb2.ExportHeader:
    return ocr_service_pb2.ExportHeader(
        format=_FORMATS[value.format],
        file_name=value.file_name,
        content_type=value.content_type,
        revision=value.revision,
        samples_total=value.samples_total,
    )


def imported(value: Imported) -> ocr_service_pb2.ImportResponse:
    return ocr_service_pb2.ImportResponse(
        imported=value.imported,
        duplicates=value.duplicates,
        refused=[
            common_pb2.RefusedItem(item=refused.item, error=item_error(refused.error)) for refused in value.refused
        ],
        refused_total=value.refused_total,
        revision=value.revision,
        before=snapshot(value.before) if value.before else None,
        notes=value.notes,
    )
