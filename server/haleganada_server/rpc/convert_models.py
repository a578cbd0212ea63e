"""Messages of ModelService <-> the domain's values, in this module only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haleganada.v1 import model_service_pb2 as pb

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.files import model_sha256
from haleganada_server.core.models.models import ModelFile, StoredModel
from haleganada_server.core.models.presets import PresetFacts

from .convert import timestamp
from .metrics import ServerFacts


def wants_int8(message: pb.Precision.ValueType) -> bool:
    """Raises InvalidInput for a number that this server does not know."""
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
        created=timestamp(card.created_us),
        labels=card.labels if with_labels else (),
        labels_total=len(card.labels),
        parameters=card.parameters,
        bytes_on_disk=value.bytes_on_disk,
        sha256=model_sha256(card),
        dataset_sha256=card.dataset_sha256,
        dataset_name=card.dataset_name,
        validation_accuracy=card.metrics.get("validation_accuracy"),
        test_accuracy=card.metrics.get("test_accuracy"),
        side=card.preprocessing.side,
        milliseconds=card.metrics.get("milliseconds", 0.0),
        active_in=used.active_in,
        learns_along=value.learns_along,
        damage=damage,
        learning_in=used.learning_in,
    )


def few_shot(server: ServerFacts, active_in: Sequence[str]) -> pb.Model:
    """The head that every workspace has; its size is that of the embedder, its labels are the workspaces'."""
    return pb.Model(
        model_id=FEW_SHOT,
        name=FEW_SHOT,
        preset=FEW_SHOT,
        parameters=server.embedder_parameters,
        bytes_on_disk=server.embedder_bytes,
        sha256=server.embedder_hash,
        side=server.embedder_side,
        active_in=active_in,
    )


def preset(value: PresetFacts) -> pb.Preset:
    return pb.Preset(
        name=value.name,
        description=value.description,
        side=value.preprocessing.side,
        parameters=value.parameters,
        pretrained=value.pretrained,
        epochs=value.defaults.epochs,
        batch_size=value.defaults.batch_size,
        learning_rate=value.defaults.learning_rate,
        learns_along=value.learns_along,
    )


def export_header(value: ModelFile) -> pb.ExportModelHeader:
    return pb.ExportModelHeader(file_name=value.file_name, bytes=value.bytes, report_json=value.report)
