"""Models that were trained on data sets: `client.models`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal, overload

from haleganada.v1 import model_service_pb2 as pb
from haleganada.v1 import model_service_pb2_grpc

from ..calls.dual import Asynchronous, Blocking, dual_method, run
from ..operations.base import Operations
from ..types import OnlineSettings, OnlineStatus
from ..wire import convert, transfers
from ..wire.arguments import parse_choice, refuse_type
from ..wire.build import build

_PRECISIONS = {"": pb.PRECISION_UNSPECIFIED, "float32": pb.PRECISION_FLOAT32, "int8": pb.PRECISION_INT8}
_TRANSFER_TIMEOUT_S = 3600.0
_LOAD_TIMEOUT_S = 60.0
_START_TIMEOUT_S = 300.0  # a process that imports torch and may load a large backbone


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model with a fixed list of labels.

    labels: in the order of its outputs; () in lists. create_time: None for "few-shot". Accuracies: 0..1, None where the
    data set had no such part. input_size_px: height and width of the network's input. latency_ms: for one drawing on
    one core of the machine that trained it, None = not measured. active_in: the workspaces that answer with it.
    online_in: those whose own networks started as it. supports_online_learning: a workspace's own network can start as
    it. damage: why it cannot be used, and what to do; "" if nothing is known against it. reads_lines: it reads lines,
    as the engine "model:" and its id; its accuracies are one minus the character error rate.
    """

    model_id: str
    name: str
    preset: str
    create_time: datetime | None
    labels: tuple[str, ...]
    labels_total: int
    parameters: int
    size_bytes: int
    sha256: str
    dataset_sha256: str
    dataset_name: str
    validation_accuracy: float | None
    test_accuracy: float | None
    input_size_px: int
    latency_ms: float | None
    active_in: tuple[str, ...]
    supports_online_learning: bool
    damage: str
    online_in: tuple[str, ...]
    reads_lines: bool = False


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A recipe to train models by, with its default settings. parameters: with 36 labels. supports_online_learning: a
    workspace's own network can start as it. missing: why it cannot be trained on this server, and what to install; ""
    if it can. needs_network: its ImageNet weights are not on the server, and fetched when a training starts.
    reads_lines: it reads lines, and is trained on data sets of lines.
    """

    name: str
    description: str
    input_size_px: int
    parameters: int
    pretrained: bool
    epochs: int
    batch_size: int
    learning_rate: float
    supports_online_learning: bool
    missing: str = ""
    needs_network: bool = False
    reads_lines: bool = False


@dataclass(frozen=True)
class PrecisionReport:
    """How the ONNX file of one precision compares with the trained network. accuracy: 0..1. latency_ms: median for one
    drawing on one core. agreement: share of the samples whose most probable label is that of the trained network.
    """

    size_bytes: int
    accuracy: float
    latency_ms: float
    agreement: float


@dataclass(frozen=True)
class ExportReport:
    """How a model's ONNX files were checked, on so many samples. max_difference: largest difference of a probability
    between float32 and the trained network. int8_method: static or dynamic quantization.
    """

    samples: int
    max_difference: float
    int8_method: str
    float32: PrecisionReport | None
    int8: PrecisionReport | None


@dataclass(frozen=True)
class ModelExport:
    """A model that was written to a file. report: how it was checked when it was made; None if that is not known."""

    file_name: str
    size_bytes: int
    sha256: str
    report: ExportReport | None


class ModelOperations(Operations):
    """What ModelsClient and AsyncModelsClient do."""

    @cached_property
    def _stub(self) -> model_service_pb2_grpc.ModelServiceStub:
        return self._connection.make_stub(model_service_pb2_grpc.ModelServiceStub)

    @dual_method
    async def list(self) -> list[Model]:
        """Return all models: "few-shot", then the others, newest first."""
        pages = self._connection.pages(self._stub.ListModels, pb.ListModelsRequest(page_size=500))
        return [_convert_model(model) async for page in pages for model in page.models]

    @dual_method
    async def get(self, model: str) -> Model:
        """Return one model with its labels."""
        answer = await self._connection.call(self._stub.GetModel, build(pb.GetModelRequest, model_id=model))
        return _convert_model(answer.model)

    @dual_method
    async def presets(self) -> tuple[Preset, ...]:
        """Return the presets that can be trained, by name."""
        answer = await self._connection.call(self._stub.ListPresets, pb.ListPresetsRequest())
        return convert.to_tuple(lambda preset: convert.from_message(Preset, preset), answer.presets)

    async def _activate(self, model: str, workspace: str | None, online: OnlineSettings | bool) -> Model | OnlineStatus:
        request = build(pb.ActivateModelRequest, workspace=self._or_default(workspace), model_id=model)
        if online is False:
            answer = await self._connection.call(self._stub.ActivateModel, request, _LOAD_TIMEOUT_S)
            return _convert_model(answer.model)
        settings = OnlineSettings() if online is True else online
        if not isinstance(settings, OnlineSettings):
            raise refuse_type("online", "True, False or OnlineSettings", online)
        request.online.CopyFrom(convert.online_settings(settings))
        answer = await self._connection.call(self._stub.ActivateModel, request, _START_TIMEOUT_S)
        return convert.online_status(answer.online)

    @dual_method
    async def delete(self, model_id: str) -> None:
        """Delete a model, given by its id. Raises FailedPrecondition while a workspace answers with it."""
        await self._connection.call_once(self._stub.DeleteModel, build(pb.DeleteModelRequest, model_id=model_id))

    @dual_method
    async def export(
        self,
        model: str,
        target: transfers.Target,
        precision: str = "float32",
        *,
        progress: transfers.Progress | None = None,
    ) -> ModelExport:
        """Write a model as ONNX, which onnxruntime alone can run, to a path or an open binary file.

        precision: float32 or int8. The SHA-256 of what arrived is checked; a path appears, or changes, only then.
        progress is called with the bytes so far. Raises OSError where it cannot be written.
        """
        wanted = parse_choice(precision, _PRECISIONS, "precision")
        request = build(pb.ExportModelRequest, model_id=model, precision=wanted)
        parts = self._connection.stream(self._stub.ExportModel, request, _TRANSFER_TIMEOUT_S)
        received = await transfers.write_parts(parts, target, progress, self._connection.offload)
        header = received.header
        report = _convert_report(header.report) if header.HasField("report") else None
        return ModelExport(header.file_name, received.size_bytes, received.sha256, report)


class ModelsClient(ModelOperations, Blocking):
    """The models of a server. Every method raises HaleganadaError. A model is given by its id or unique name."""

    @overload
    def activate(self, model: str, *, workspace: str | None = None, online: Literal[False] = False) -> Model: ...

    @overload
    def activate(
        self, model: str, *, workspace: str | None = None, online: OnlineSettings | Literal[True]
    ) -> OnlineStatus: ...

    def activate(
        self, model: str, *, workspace: str | None = None, online: OnlineSettings | bool = False
    ) -> Model | OnlineStatus:
        """Choose the model that answers in a workspace; "few-shot" goes back to its own head.

        online: give the workspace a network of its own instead, which starts as the model, or as the preset "cnn36" or
        "resnet50-transformer", and learns every drawing that is and will be taught; True = with the default settings.
        Returns its status then. Raises FailedPrecondition if the server has no torch.
        """
        return run(self._activate(model, workspace, online))


class AsyncModelsClient(ModelOperations, Asynchronous):
    """What ModelsClient does, as coroutines."""

    @overload
    async def activate(self, model: str, *, workspace: str | None = None, online: Literal[False] = False) -> Model: ...

    @overload
    async def activate(
        self, model: str, *, workspace: str | None = None, online: OnlineSettings | Literal[True]
    ) -> OnlineStatus: ...

    async def activate(
        self, model: str, *, workspace: str | None = None, online: OnlineSettings | bool = False
    ) -> Model | OnlineStatus:
        """Choose the model that answers in a workspace; see ModelsClient.activate."""
        return await self._activate(model, workspace, online)


def _convert_model(message: pb.Model) -> Model:
    return convert.from_message(Model, message)


def _convert_report(message: pb.ExportReport) -> ExportReport:
    reports = {
        name: convert.from_message(PrecisionReport, getattr(message, name)) if message.HasField(name) else None
        for name in ("float32", "int8")
    }
    return convert.from_message(ExportReport, message, **reports)
