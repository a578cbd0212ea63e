"""Messages of ModelService <-> the domain's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haleganada.v1 import model_service_pb2 as pb

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.files import model_sha256
from haleganada_server.core.models.models import ModelFile, StoredModel
from haleganada_server.core.models.presets import PresetFacts
from haleganada_server.rpc.metrics import ServerFacts

from .common import timestamp


def wants_int8(message: pb.Precision.ValueType) -> bool:
    """Return whether INT8 is asked for. Raises InvalidInput for a number that is not known."""
    if message not in (pb.PRECISION_UNSPECIFIED, pb.PRECISION_FLOAT32, pb.PRECISION_INT8):
        raise InvalidInput("precision", f"{message} is not a precision of this server; choose FLOAT32 or INT8")
    return message == pb.PRECISION_INT8


@dataclass(frozen=True, slots=True)
class Uses:
    """The workspaces that answer with a model, and those whose networks started as it."""

    active_in: Sequence[str]
    learning_in: Sequence[str] = ()


def model(value: StoredModel, used: Uses, damage: str = "", *, with_labels: bool = True) -> pb.Model:
    """damage: why it cannot be used, "" if nothing is known against it."""
    card = value.card
    return pb.Model(
        model_id=value.model_id,
        name=card.name,
        preset=card.preset,
        create_time=timestamp(card.created_us) if card.created_us else None,
        labels=card.labels if with_labels else (),
        labels_total=len(card.labels),
        parameters=card.parameters,
        size_bytes=value.bytes_on_disk,
        sha256=model_sha256(card),
        dataset_sha256=card.dataset_sha256,
        dataset_name=card.dataset_name,
        validation_accuracy=card.metrics.get("validation_accuracy"),
        test_accuracy=card.metrics.get("test_accuracy"),
        input_size_px=card.preprocessing.side,
        latency_ms=card.metrics.get("milliseconds"),
        active_in=used.active_in,
        online_in=used.learning_in,
        supports_online_learning=value.supports_online_learning,
        damage=damage,
        reads_lines=card.line is not None,
    )


def few_shot(server: ServerFacts, active_in: Sequence[str]) -> pb.Model:
    """Describe the head that every workspace has: its size is that of the embedder, its labels are the workspaces'."""
    return pb.Model(
        model_id=FEW_SHOT,
        name=FEW_SHOT,
        preset=FEW_SHOT,
        parameters=server.embedder_parameters,
        size_bytes=server.embedder_bytes,
        sha256=server.embedder_hash,
        input_size_px=server.embedder_side,
        active_in=active_in,
    )


def preset(value: PresetFacts, missing: str, needs_network: bool) -> pb.Preset:
    """missing: why it cannot be trained, "" if it can. needs_network: its weights would have to be fetched."""
    return pb.Preset(
        name=value.name,
        description=value.description,
        input_size_px=value.preprocessing.side,
        parameters=value.parameters,
        pretrained=value.pretrained,
        epochs=value.defaults.epochs,
        batch_size=value.defaults.batch_size,
        learning_rate=value.defaults.learning_rate,
        supports_online_learning=value.supports_online_learning,
        missing=missing,
        needs_network=needs_network,
        reads_lines=value.reads_lines,
    )


def export_header(value: ModelFile) -> pb.ExportModelHeader:
    return pb.ExportModelHeader(
        file_name=value.file_name,
        size_bytes=value.bytes,
        report=_export_report(value.report) if value.report else None,
    )


def _export_report(report: Mapping[str, Any]) -> pb.ExportReport:
    """report: the content of export.json."""
    return pb.ExportReport(
        samples=report.get("samples", 0),
        max_difference=report.get("parity", 0.0),
        int8_method=report.get("int8_method", ""),
        float32=_precision_report(report.get("float32")),
        int8=_precision_report(report.get("int8")),
    )


def _precision_report(measured: Mapping[str, Any] | None) -> pb.PrecisionReport | None:
    if measured is None:
        return None
    return pb.PrecisionReport(
        size_bytes=measured["bytes"],
        accuracy=measured["accuracy"],
        latency_ms=measured["milliseconds"],
        agreement=measured["same_answers"],
    )
