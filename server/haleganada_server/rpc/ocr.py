"""OCRService: unpack, call the domain, pack."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from haleganada.v1 import ocr_service_pb2 as pb
from haleganada.v1 import ocr_service_pb2_grpc

from haleganada_server.core.workspaces.workspaces import Workspaces

from . import validate
from .caller import caller
from .convert import common, statistics
from .convert import ocr as convert
from .metrics import Latencies, ServerFacts
from .streams import Transfers

Context = grpc.ServicerContext


class OCRServicer(ocr_service_pb2_grpc.OCRServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors."""

    def __init__(self, workspaces: Workspaces, transfers: Transfers, facts: ServerFacts, latencies: Latencies) -> None:
        self._workspaces = workspaces
        self._transfers = transfers
        self._facts = facts
        self._latencies = latencies

    def Train(self, request: pb.TrainRequest, context: Context) -> pb.TrainResponse:
        workspace = self._workspaces.get(request.workspace)
        patience_s = validate.wait_learned(request.wait_learned_ms)
        taught = workspace.train(convert.lesson(request), caller(context))
        learned = patience_s > 0 and workspace.wait_until_learned(taught.revision, patience_s)
        return convert.taught(taught, learned=learned)

    def TrainBatch(self, request: pb.TrainBatchRequest, context: Context) -> pb.TrainBatchResponse:
        workspace = self._workspaces.get(request.workspace)
        validate.batch("items", request.items)
        outcomes = workspace.train_batch(convert.lessons(request.items), caller(context))
        return convert.taught_batch(outcomes, workspace.knowledge.revision)

    def Predict(self, request: pb.PredictRequest, context: Context) -> pb.PredictResponse:
        workspace = self._workspaces.get(request.workspace)
        top_k, model, glyph = validate.top_k(request.top_k), validate.model(request.model), common.glyph(request.glyph)
        return convert.prediction(workspace.predict(glyph, top_k, convert.min_revision(request), model))

    def PredictBatch(self, request: pb.PredictBatchRequest, context: Context) -> pb.PredictBatchResponse:
        workspace = self._workspaces.get(request.workspace)
        top_k, model = validate.top_k(request.top_k), validate.model(request.model)
        validate.batch("glyphs", request.glyphs)
        glyphs = common.glyphs(request.glyphs)
        return convert.predictions(workspace.predict_batch(glyphs, top_k, convert.min_revision(request), model))

    def Correct(self, request: pb.CorrectRequest, context: Context) -> pb.CorrectResponse:
        corrected = self._workspaces.get(request.workspace).correct(
            validate.required_id("prediction_id", request.prediction_id),
            request.label,
            request.variant_of,
            validate.request_id(request.request_id),
            common.expected_revision(request),
            caller(context),
        )
        return convert.corrected(corrected)

    def LinkVariants(self, request: pb.LinkVariantsRequest, context: Context) -> pb.LinkVariantsResponse:
        request_id, expected = validate.request_id(request.request_id), common.expected_revision(request)
        workspace = self._workspaces.get(request.workspace)
        return convert.linked(workspace.link(request.form, request.canonical, request_id, expected, caller(context)))

    def UnlinkVariants(self, request: pb.UnlinkVariantsRequest, context: Context) -> pb.UnlinkVariantsResponse:
        request_id, expected = validate.request_id(request.request_id), common.expected_revision(request)
        workspace = self._workspaces.get(request.workspace)
        return convert.unlinked(workspace.unlink(request.form, request_id, expected, caller(context)))

    def Undo(self, request: pb.UndoRequest, context: Context) -> pb.UndoResponse:
        request_id, expected = validate.request_id(request.request_id), common.expected_revision(request)
        return convert.undone(self._workspaces.get(request.workspace).undo(request_id, expected, caller(context)))

    def Stats(self, request: pb.StatsRequest, context: Context) -> pb.StatsResponse:
        points = validate.history_points(request.history_points if request.HasField("history_points") else None)
        stats = self._workspaces.get(request.workspace).stats(points, request.find_suspects)
        return statistics.stats(stats, self._facts, self._latencies.by_method())

    def Save(self, request: pb.SaveRequest, context: Context) -> pb.SaveResponse:
        return pb.SaveResponse(snapshot=common.snapshot(self._workspaces.get(request.workspace).save(request.name)))

    def Reset(self, request: pb.ResetRequest, context: Context) -> pb.ResetResponse:
        expected = common.expected_revision(request)
        snapshot, revision = self._workspaces.reset(request.workspace, request.confirm, expected)
        return pb.ResetResponse(snapshot=common.snapshot(snapshot), revision=revision)

    def Export(self, request: pb.ExportRequest, context: Context) -> Iterator[pb.ExportResponse]:
        return self._transfers.export(self._workspaces.get(request.workspace), request)

    def Import(self, request_iterator: Iterator[pb.ImportRequest], context: Context) -> pb.ImportResponse:
        return self._transfers.import_from(self._workspaces, request_iterator, caller(context))
