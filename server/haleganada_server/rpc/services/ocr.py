"""OCRService: unpack, call the domain, pack."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from haleganada.v1 import ocr_service_pb2 as pb
from haleganada.v1 import ocr_service_pb2_grpc

from haleganada_server.core.workspaces.workspaces import Workspaces

from .. import validate
from ..caller import caller, cancellation
from ..calls.waits import Waits
from ..convert import common, statistics
from ..convert import ocr as convert
from ..metrics import Latencies, ServerFacts
from ..streams import Transfers

Context = grpc.ServicerContext


class OCRServicer(ocr_service_pb2_grpc.OCRServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors."""

    def __init__(
        self, workspaces: Workspaces, transfers: Transfers, waits: Waits, facts: ServerFacts, latencies: Latencies
    ) -> None:
        self._workspaces = workspaces
        self._transfers = transfers
        self._waits = waits
        self._facts = facts
        self._latencies = latencies

    def Train(self, request: pb.TrainRequest, context: Context) -> pb.TrainResponse:
        patience_s = validate.wait_learned(request.wait_learned_ms)
        with self._workspaces.use(request.workspace) as workspace:
            taught = workspace.train(convert.lesson(request), caller(context), cancellation(context))
            learned = False
            if patience_s > 0:
                with self._waits.one(context) as may_wait:
                    learned = workspace.wait_until_learned(taught.revision, patience_s if may_wait else 0)
        return convert.taught(taught, learned=learned)

    def TrainBatch(self, request: pb.TrainBatchRequest, context: Context) -> pb.TrainBatchResponse:
        with self._workspaces.use(request.workspace) as workspace:
            validate.batch("items", request.items)
            outcomes = workspace.train_batch(convert.lessons(request), caller(context), cancellation(context))
            return convert.taught_batch(outcomes, workspace.knowledge.revision)

    def Predict(self, request: pb.PredictRequest, context: Context) -> pb.PredictResponse:
        top_k, model, glyph = (
            validate.top_k(request.top_k),
            validate.models(request.model, request.models),
            common.glyph(request.glyph),
        )
        least, script_labels = convert.min_revision(request), validate.script_labels(request.script_labels)
        with self._workspaces.use(request.workspace) as workspace:
            found = workspace.predict(glyph, top_k, least, model, cancellation(context), script_labels)
        return convert.prediction(found)

    def PredictBatch(self, request: pb.PredictBatchRequest, context: Context) -> pb.PredictBatchResponse:
        top_k, model = validate.top_k(request.top_k), validate.models(request.model, request.models)
        validate.batch("glyphs", request.glyphs)
        glyphs, least = common.glyphs(request.glyphs), convert.min_revision(request)
        script_labels = validate.script_labels(request.script_labels)
        with self._workspaces.use(request.workspace) as workspace:
            found = workspace.predict_batch(glyphs, top_k, least, model, cancellation(context), script_labels)
        return convert.predictions(found)

    def Correct(self, request: pb.CorrectRequest, context: Context) -> pb.CorrectResponse:
        prediction_id = validate.required_id("prediction_id", request.prediction_id)
        request_id, expected = validate.request_id(request.request_id), common.expected_revision(request)
        label, variant_of = request.label, request.variant_of
        with self._workspaces.use(request.workspace) as workspace:
            corrected = workspace.correct(prediction_id, label, variant_of, request_id, expected, caller(context))
        return convert.corrected(corrected)

    def LinkVariants(self, request: pb.LinkVariantsRequest, context: Context) -> pb.LinkVariantsResponse:
        request_id, expected = validate.request_id(request.request_id), common.expected_revision(request)
        with self._workspaces.use(request.workspace) as workspace:
            linked = workspace.link(
                request.form, request.canonical, request_id, expected, caller(context), request.join_groups
            )
        return convert.linked(linked)

    def UnlinkVariants(self, request: pb.UnlinkVariantsRequest, context: Context) -> pb.UnlinkVariantsResponse:
        request_id, expected = validate.request_id(request.request_id), common.expected_revision(request)
        with self._workspaces.use(request.workspace) as workspace:
            return convert.unlinked(workspace.unlink(request.form, request_id, expected, caller(context)))

    def Undo(self, request: pb.UndoRequest, context: Context) -> pb.UndoResponse:
        request_id, expected = validate.request_id(request.request_id), common.expected_revision(request)
        with self._workspaces.use(request.workspace) as workspace:
            undo = workspace.undo_batch if request.whole_batch else workspace.undo
            return convert.undone(undo(request_id, expected, caller(context)))

    def Stats(self, request: pb.StatsRequest, context: Context) -> pb.StatsResponse:
        points = validate.history_points(request.history_points if request.HasField("history_points") else None)
        with self._workspaces.use(request.workspace) as workspace:
            stats, quotas = workspace.stats(points, request.find_suspects), workspace.list_quotas()
        return statistics.stats(stats, quotas, self._facts, self._latencies.by_method())

    def Save(self, request: pb.SaveRequest, context: Context) -> pb.SaveResponse:
        with self._workspaces.use(request.workspace) as workspace:
            return pb.SaveResponse(snapshot=common.snapshot(workspace.save(request.name)))

    def Reset(self, request: pb.ResetRequest, context: Context) -> pb.ResetResponse:
        expected = common.expected_revision(request)
        retired, revision = self._workspaces.reset(request.workspace, request.confirm, expected, caller(context))
        return pb.ResetResponse(snapshot=common.snapshot(retired) if retired else None, revision=revision)

    def Export(self, request: pb.ExportRequest, context: Context) -> Iterator[pb.ExportResponse]:
        return self._transfers.export(self._workspaces, request, context)

    def Import(self, request_iterator: Iterator[pb.ImportRequest], context: Context) -> pb.ImportResponse:
        return self._transfers.import_from(self._workspaces, request_iterator, context)
