"""Messages <-> the domain's values, in this module only. No decisions beyond “absent” and “unspecified”."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp
from haleganada.v1 import common_pb2, ocr_service_pb2, sample_service_pb2, workspace_service_pb2

from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.fewshot.confidence import Decision
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.knowledge.prediction import Candidate, Prediction
from haleganada_server.core.labels import code_points
from haleganada_server.core.sample_log.rows import ChangeKind
from haleganada_server.core.workspaces.ports import ExportFile
from haleganada_server.core.workspaces.statistics import Stats
from haleganada_server.core.workspaces.types import (
    Corrected,
    Imported,
    Lesson,
    Linked,
    Sample,
    SampleChange,
    SamplePage,
    SnapshotInfo,
    Taught,
    TransferFormat,
    Undone,
    Unlinked,
    WorkspaceInfo,
)

from . import convert_online, pages, validate
from .errors import item_error
from .metrics import MethodFigures, ServerFacts

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
_FORMATS = {
    TransferFormat.ARCHIVE: ocr_service_pb2.EXPORT_FORMAT_HALEGANADA_ARCHIVE,
    TransferFormat.SEED_FILES: ocr_service_pb2.EXPORT_FORMAT_SEED_FILES,
    TransferFormat.JSONL: ocr_service_pb2.EXPORT_FORMAT_JSONL,
    TransferFormat.IMAGE_FOLDER: ocr_service_pb2.EXPORT_FORMAT_IMAGE_FOLDER,
}
_FORMATS_BACK = {message: form for form, message in _FORMATS.items()}


# From messages


def glyph(message: common_pb2.Glyph) -> Glyph:
    """Raises InvalidInput without a source, or with more ink than the contract allows."""
    source = message.WhichOneof("source")
    if source == "image":
        return Glyph(image=message.image)
    if source == "ink":
        return Glyph(ink=_ink(message.ink))
    raise InvalidInput("glyph", "is missing; send an image or ink")


def _ink(message: common_pb2.Ink) -> Ink:
    validate.ink_size(len(message.strokes), sum(len(stroke.x) for stroke in message.strokes))
    strokes = (Stroke(tuple(s.x), tuple(s.y), tuple(s.time_ms), tuple(s.pressure)) for s in message.strokes)
    return Ink(tuple(strokes), message.width, message.height, message.pen_width)


def glyphs(messages: Iterable[common_pb2.Glyph]) -> list[Glyph | HaleganadaError]:
    """Each drawing, or what is wrong with it."""
    return [_glyph_or_error(message) for message in messages]


def _glyph_or_error(message: common_pb2.Glyph) -> Glyph | HaleganadaError:
    try:
        return glyph(message)
    except HaleganadaError as error:
        return error


def lesson(message: ocr_service_pb2.TrainRequest) -> Lesson:
    """Raises InvalidInput."""
    return Lesson(
        glyph(message.glyph),
        message.label,
        message.variant_of,
        validate.request_id(message.request_id),
        expected_revision(message),
    )


def lessons(messages: Iterable[ocr_service_pb2.TrainItem]) -> list[Lesson | HaleganadaError]:
    """Each item, or what is wrong with it."""
    return [_lesson_or_error(message) for message in messages]


def _lesson_or_error(item: ocr_service_pb2.TrainItem) -> Lesson | HaleganadaError:
    try:
        return Lesson(glyph(item.glyph), item.label, item.variant_of, validate.request_id(item.request_id))
    except HaleganadaError as error:
        return error


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
    """None where it is absent."""
    return message.expected_revision if message.HasField("expected_revision") else None


def min_revision(message: ocr_service_pb2.PredictRequest | ocr_service_pb2.PredictBatchRequest) -> int | None:
    """None where it is absent."""
    return message.min_revision if message.HasField("min_revision") else None


def export_format(message: ocr_service_pb2.ExportFormat.ValueType) -> TransferFormat | None:
    """None for unspecified. Raises InvalidInput for a number that this server does not know."""
    if message == ocr_service_pb2.EXPORT_FORMAT_UNSPECIFIED:
        return None
    if message not in _FORMATS_BACK:
        raise InvalidInput("format", f"{message} is not a format of this server")
    return _FORMATS_BACK[message]


# To messages: teaching and recognising


def taught(value: Taught, *, learned: bool = False) -> ocr_service_pb2.TrainResponse:
    """learned: by the network that learns along, and somebody waited for it."""
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
    )


def taught_batch(outcomes: Iterable[Taught | HaleganadaError], revision: int) -> ocr_service_pb2.TrainBatchResponse:
    """revision: the workspace's, where nothing in the batch was taught."""
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
    )


def predictions(outcomes: Iterable[Prediction | HaleganadaError]) -> ocr_service_pb2.PredictBatchResponse:
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
    )


# To messages: figures


def stats(value: Stats, server: ServerFacts, methods: Iterable[MethodFigures]) -> ocr_service_pb2.StatsResponse:
    """Figures of a workspace together with those of its server."""
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
        labels=_label_stats(value),
        history=_history(value),
        confused_pairs=[
            ocr_service_pb2.ConfusedPair(label=label, predicted=predicted, count=count)
            for label, predicted, count in value.confused
        ],
        teach_next=_teach_next(value),
        suspects=_suspects(value),
        near_duplicates=_near_duplicates(value),
        latencies=[
            ocr_service_pb2.MethodLatency(method=m.method, calls=m.calls, p50_ms=m.p50_ms, p99_ms=m.p99_ms)
            for m in methods
        ],
        device=server.device,
        versions=server.versions,
        size_bytes=value.bytes_on_disk,
        embedder_hash=server.embedder_hash,
        uptime_seconds=server.uptime_s(),
        samples_to_embed=value.samples_to_embed,
    )


def _label_stats(value: Stats) -> list[ocr_service_pb2.LabelStats]:
    return [
        ocr_service_pb2.LabelStats(
            label=label.label,
            class_id=label.class_id,
            canonical=label.canonical,
            samples=label.samples,
            average_loss=label.average_loss,
            accuracy=label.accuracy,
            newest_sample_id=label.newest_sample_id,
        )
        for label in value.labels
    ]


def _history(value: Stats) -> list[ocr_service_pb2.HistoryPoint]:
    return [
        ocr_service_pb2.HistoryPoint(
            revision=point.revision,
            create_time=timestamp(point.time_us),
            loss=point.loss,
            recognized=point.recognized,
            new_label=point.new_label,
            label=point.label,
        )
        for point in value.history
    ]


def _teach_next(value: Stats) -> list[ocr_service_pb2.TeachNext]:
    few, confused = ocr_service_pb2.TEACH_REASON_FEW_SAMPLES, ocr_service_pb2.TEACH_REASON_CONFUSED
    return [
        ocr_service_pb2.TeachNext(
            label=item.label, reason=confused if item.confused_with else few, confused_with=item.confused_with
        )
        for item in value.teach_next
    ]


def _suspects(value: Stats) -> list[ocr_service_pb2.Suspect]:
    return [
        ocr_service_pb2.Suspect(
            sample_id=suspect.sample_id,
            label=suspect.label,
            looks_like=suspect.looks_like,
            probability=suspect.probability,
        )
        for suspect in value.suspects
    ]


def _near_duplicates(value: Stats) -> list[ocr_service_pb2.NearDuplicate]:
    return [
        ocr_service_pb2.NearDuplicate(
            sample_id=pair.sample_id,
            label=pair.label,
            other_sample_id=pair.other_sample_id,
            other_label=pair.other_label,
            similarity=pair.similarity,
        )
        for pair in value.near_duplicates
    ]


# To messages: samples, workspaces, transfers


def sample(value: Sample) -> sample_service_pb2.Sample:
    return sample_service_pb2.Sample(
        sample_id=value.sample_id,
        label=value.label,
        canonical=value.canonical,
        loss=value.loss,
        create_time=timestamp(value.time_us),
        revision=value.revision,
        predicted=value.predicted,
        correction=value.correction,
        picture=value.picture,
    )


def sample_page(value: SamplePage) -> sample_service_pb2.ListSamplesResponse:
    return sample_service_pb2.ListSamplesResponse(
        samples=[sample(entry) for entry in value.samples],
        next_page_token=pages.encode("samples", value.next_before),
        total_size=value.total,
        revision=value.revision,
    )


def relabeled(value: SampleChange) -> sample_service_pb2.UpdateSampleResponse:
    return sample_service_pb2.UpdateSampleResponse(
        sample=sample(value.sample) if value.sample else None, revision=value.revision, duplicate=value.duplicate
    )


def forgotten(value: SampleChange) -> sample_service_pb2.DeleteSampleResponse:
    return sample_service_pb2.DeleteSampleResponse(revision=value.revision, duplicate=value.duplicate)


def workspace(value: WorkspaceInfo) -> workspace_service_pb2.Workspace:
    ready, corrupt = workspace_service_pb2.WORKSPACE_STATE_READY, workspace_service_pb2.WORKSPACE_STATE_CORRUPT
    return workspace_service_pb2.Workspace(
        name=value.name,
        samples_total=value.samples_total,
        labels_known=value.labels_known,
        revision=value.revision,
        create_time=timestamp(value.created_us),
        size_bytes=value.bytes_on_disk,
        state=corrupt if value.corrupt else ready,
        embedder_hash=value.embedder_hash,
        samples_to_embed=value.samples_to_embed,
        model=value.model,
        online=convert_online.status(value.online) if value.online else None,
    )


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
    )


def timestamp(time_us: int) -> Timestamp:
    """Microseconds since 1970 UTC."""
    return Timestamp(seconds=time_us // 1_000_000, nanos=time_us % 1_000_000 * 1000)
