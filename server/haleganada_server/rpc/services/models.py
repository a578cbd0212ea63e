"""ModelService: unpack, call the domain, pack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import grpc
from haleganada.v1 import model_service_pb2 as pb
from haleganada.v1 import model_service_pb2_grpc

from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.models import Models, StoredModel
from haleganada_server.core.models.presets import PRESET_FACTS
from haleganada_server.core.workspaces.workspaces import Workspaces

from .. import pages, validate
from ..access.present import get_identity
from ..calls.places import Places
from ..convert import models as convert
from ..convert import online
from ..metrics import ServerFacts
from ..streams import file_parts

Context = grpc.ServicerContext


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors."""

    def __init__(
        self,
        workspaces: Workspaces,
        models: Models,
        slots: Places,
        facts: ServerFacts,
        jobs: Jobs,
    ) -> None:
        """jobs: knows what can be trained."""
        self._workspaces = workspaces
        self._jobs = jobs
        self._models = models
        self._slots = slots
        self._facts = facts

    def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:
        limit, after = validate.page_size(request.page_size), pages.decode("models", request.page_token, "")
        found = pages.skip_to_after([None, *self._models.all()], after, _id, "model")
        shown, following = found[:limit], _id(found[limit - 1]) if len(found) > limit else ""
        return pb.ListModelsResponse(
            models=[self._convert_model(model, with_labels=False) for model in shown],
            next_page_token=pages.encode("models", following),
        )

    def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.GetModelResponse:
        model = self._models.find(validate.required_id("model_id", request.model_id))
        return pb.GetModelResponse(model=self._convert_model(model))

    def ListPresets(self, request: pb.ListPresetsRequest, context: Context) -> pb.ListPresetsResponse:
        missing, must_fetch = self._jobs.explain_missing(), self._jobs.must_fetch_weights
        presets = [convert.preset(facts, missing, must_fetch(name)) for name, facts in sorted(PRESET_FACTS.items())]
        return pb.ListPresetsResponse(presets=presets)

    def ActivateModel(self, request: pb.ActivateModelRequest, context: Context) -> pb.ActivateModelResponse:
        reference = validate.required_id("model_id", request.model_id)
        if request.HasField("online"):
            return self._activate_online(request, reference)
        model = self._workspaces.activate_model(request.workspace, reference)
        return pb.ActivateModelResponse(model=self._convert_model(model))

    def _activate_online(self, request: pb.ActivateModelRequest, start: str) -> pb.ActivateModelResponse:
        config = online.config(request.online, self._models.default_online_config(start))
        model, status = self._workspaces.start_online_learning(request.workspace, start, config)
        described = self._convert_model(model) if model is not None else None
        return pb.ActivateModelResponse(model=described, online=online.status(status))

    def DeleteModel(self, request: pb.DeleteModelRequest, context: Context) -> pb.DeleteModelResponse:
        self._models.delete(validate.required_id("model_id", request.model_id))
        return pb.DeleteModelResponse()

    def ExportModel(self, request: pb.ExportModelRequest, context: Context) -> Iterator[pb.ExportModelResponse]:
        reference = validate.required_id("model_id", request.model_id)
        with self._slots.one(context):
            exported = self._models.export(reference, int8=convert.wants_int8(request.precision))
            yield pb.ExportModelResponse(header=convert.export_header(exported))
            yield from file_parts(pb.ExportModelResponse, exported.path)

    def _convert_model(self, model: StoredModel | None, *, with_labels: bool = True) -> pb.Model:
        """Convert a model; None stands for few-shot."""
        if model is not None:
            active, model_id = self._models.active_models, model.model_id
            answering, learning = active.workspaces_using(model_id), active.workspaces_learning_from(model_id)
            used = convert.Uses(_keep_visible(answering), _keep_visible(learning))
            return convert.model(model, used, self._models.describe_damage(model), with_labels=with_labels)
        own = [name for name in self._workspaces.names() if self._models.active_models.model_id_of(name) == FEW_SHOT]
        return convert.few_shot(self._facts, _keep_visible(own))


def _keep_visible(workspaces: Iterable[str]) -> list[str]:
    """Return those of the workspaces that the caller's token is for."""
    return list(filter(get_identity().may_use, workspaces))


def _id(model: StoredModel | None) -> str:
    return FEW_SHOT if model is None else model.model_id
