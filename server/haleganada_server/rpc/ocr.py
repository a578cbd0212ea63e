"""OCRService."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from haleganada.v1 import ocr_service_pb2 as pb
from haleganada.v1 import ocr_service_pb2_grpc

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.types import Lesson
from haleganada_server.core.workspaces import Workspaces

from . import convert, validate
from .server_facts import ServerFacts
from .transfers import Transfers

Context = grpc.ServicerContext


class OCRServicer(ocr_service_pb2_grpc.OCRServiceServicer):
    """Unpack, call, pack."""

    def __init__(self, workspaces: Workspaces, transfers: Transfers, facts: ServerFacts) -> None:
        self._workspaces, self._transfers, self._facts = workspaces, transfers, facts

    def Train(self, request: pb.TrainRequest, context: Context) -> pb.TrainResponse:
        lesson = _lesson(request, convert.optional(request, "expected_revision"))
        return convert.taught(self._workspaces.get(request.workspace).train(lesson, context.peer()))

    def TrainBatch(self, request: pb.TrainBatchRequest, context: Context) -> pb.TrainBatchResponse:
        validate.batch(len(request.items), "items")
        workspace = self._workspaces.get(request.workspace)
        outcomes = workspace.train_batch([_lesson_or_error(item) for item in request.items], context.peer())
        results = [convert.train_result(outcome) for outcome in outcomes]
        return pb.TrainBatchResponse(results=results, revision=workspace.knowledge.revision)

    def Predict(self, request: pb.PredictRequest, context: Context) -> pb.PredictResponse:
        validate.model(request.model)
        workspace, top_k = self._workspaces.get(request.workspace), validate.top_k(request.top_k)
        min_revision = convert.optional(request, "min_revision")
        return convert.prediction(workspace.predict(convert.glyph(request.glyph), top_k, min_revision))

    def PredictBatch(self, request: pb.PredictBatchRequest, context: Context) -> pb.PredictBatchResponse:
        validate.batch(len(request.glyphs), "glyphs")
        validate.model(request.model)
        workspace, top_k = self._workspaces.get(request.workspace), validate.top_k(request.top_k)
        glyphs = [convert.glyph_or_error(glyph) for glyph in request.glyphs]
        outcomes = workspace.predict_batch(glyphs, top_k, convert.optional(request, "min_revision"))
        return pb.PredictBatchResponse(results=[convert.predict_result(outcome) for outcome in outcomes])

    def Correct(self, request: pb.CorrectRequest, context: Context) -> pb.CorrectResponse:
        answer = self._workspaces.get(request.workspace).correct(
            request.prediction_id, request.label, request.variant_of, *_change(request, context)
        )
        return convert.corrected(answer)

    def LinkVariants(self, request: pb.LinkVariantsRequest, context: Context) -> pb.LinkVariantsResponse:
        workspace = self._workspaces.get(request.workspace)
        linked = workspace.link(request.form, request.canonical, *_change(request, context))
        return pb.LinkVariantsResponse(
            canonical=linked.canonical, forms=linked.forms, revision=linked.revision, duplicate=linked.duplicate
        )

    def UnlinkVariants(self, request: pb.UnlinkVariantsRequest, context: Context) -> pb.UnlinkVariantsResponse:
        parted = self._workspaces.get(request.workspace).unlink(request.form, *_change(request, context))
        return pb.UnlinkVariantsResponse(
            former_canonical=parted.former_canonical, revision=parted.revision, duplicate=parted.duplicate
        )

    def Undo(self, request: pb.UndoRequest, context: Context) -> pb.UndoResponse:
        return convert.undone(self._workspaces.get(request.workspace).undo(*_change(request, context)))

    def Stats(self, request: pb.StatsRequest, context: Context) -> pb.StatsResponse:
        points = validate.history_points(convert.optional(request, "history_points"))
        stats = self._workspaces.get(request.workspace).stats(points, request.find_suspects)
        answer = convert.stats(stats)
        self._facts.add_to(answer)
        return answer

    def Save(self, request: pb.SaveRequest, context: Context) -> pb.SaveResponse:
        return pb.SaveResponse(snapshot=convert.snapshot(self._workspaces.get(request.workspace).save(request.name)))

    def Reset(self, request: pb.ResetRequest, context: Context) -> pb.ResetResponse:
        expected = convert.optional(request, "expected_revision")
        kept, revision = self._workspaces.reset(request.workspace, request.confirm, expected)
        return pb.ResetResponse(snapshot=convert.snapshot(kept), revision=revision)

    def Export(self, request: pb.ExportRequest, context: Context) -> Iterator[pb.ExportResponse]:
        return self._transfers.export(self._workspaces.get(request.workspace), request.format)

    def Import(self, request_iterator: Iterator[pb.ImportRequest], context: Context) -> pb.ImportResponse:
        return self._transfers.receive(request_iterator, context.peer())


def _lesson(item: pb.TrainRequest | pb.TrainItem, expected_revision: int | None = None) -> Lesson:
    request_id = validate.request_id(item.request_id)
    return Lesson(convert.glyph(item.glyph), item.label, item.variant_of, request_id, expected_revision)


def _lesson_or_error(item: pb.TrainItem) -> Lesson | HaleganadaError:
    try:
        return _lesson(item)
    except HaleganadaError as error:
        return error


def _change(
    request: pb.CorrectRequest | pb.LinkVariantsRequest | pb.UnlinkVariantsRequest | pb.UndoRequest, context: Context
) -> tuple[str, int | None, str]:
    """request_id, expected_revision and client of a change."""
    return validate.request_id(request.request_id), convert.optional(request, "expected_revision"), context.peer()
