"""What a finished training leaves behind: the model's folder, and files for people."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.models.card import ModelCard, Preprocessing
from haleganada_server.core.models.presets import ONLINE_PRESETS
from haleganada_server.training.common.atomic_files import write_atomically, write_safetensors
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.training_data import TrainingData
from haleganada_server.training.export.exemplars import choose_exemplars, write_exemplars
from haleganada_server.training.export.half_precision import compact, round_matrices
from haleganada_server.training.export.model_files import write_model
from haleganada_server.training.export.onnx_model import export_model
from haleganada_server.training.export.rejection import Measured, Rejection, fit_rejection
from haleganada_server.training.presets import Preset, count_parameters

from .history import HISTORY_JSON, HistoryFiles, format_history
from .loop import compute_logits, measure_items
from .reporter import TrainingReporter
from .settings import TrainingSettings
from .state import TrainingState, copy_tensors
from .temperature import fit_temperature

FILES, MODEL = "files", "model"
LAST_STATE, BEST_STATE = "final_model.safetensors", "best_model.safetensors"
CLASS_MAPPING, DESCRIPTION = "class_mapping.json", "haleganada"
_SAMPLES, _SAMPLE_PIXELS = 1_000, 16_000_000
"""The most drawings, and pixels in all, that an export is checked on: with large drawings, 1,000 would take minutes."""

_MOST_MEASURED = 10_000
"""The most training drawings that tell how far a label's drawings lie from its mean, and unknown ones beside them."""


@dataclass(frozen=True, kw_only=True)
class FinishedTraining:
    """A training whose epochs are over. options: those that the preset's network was built with."""

    preset: Preset
    preprocessing: Preprocessing
    name: str
    data: TrainingData
    settings: TrainingSettings
    options: Mapping[str, Any]
    state: TrainingState

    def sample(self, part: Part, limit: int) -> NDArray[np.int64]:
        """Choose at most `limit` items of a part at random, by the seed."""
        return self._choose(self.data.part(part), limit)

    def choose_unknown(self) -> NDArray[np.int64]:
        """Choose items of none of the labels at random, by the seed, not from the test part: nothing was trained on
        them.
        """
        return self._choose(self.data.unknown(Part.TRAIN, Part.VALIDATION), _MOST_MEASURED)

    def _choose(self, items: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
        return np.sort(np.random.default_rng(self.settings.seed).permutation(items)[:limit])


def write_results(
    training: FinishedTraining, folder: Path, ink: InkInput, reporter: TrainingReporter, skip_test: bool
) -> None:
    """Write files/ and model/, the latter whole or not at all. skip_test: do not measure the test part.

    Leaves the network in its best state, on the CPU.
    """
    state, files = training.state, folder / FILES
    HistoryFiles(files).write(state.history, state.best_epoch, last=True)
    description = _describe_tensors(training)
    write_safetensors(files / LAST_STATE, copy_tensors(state.network), description)
    write_atomically(files / CLASS_MAPPING, encode_class_mapping(training.data.labels))
    state.network.load_state_dict(state.best)
    round_matrices(state.network)
    write_safetensors(files / BEST_STATE, compact(copy_tensors(state.network)), description)
    reporter.start_stage("measuring")
    temperature, metrics, rejection = _evaluate(training, ink, skip_test)
    reporter.start_stage("exporting")
    draft = folder / f"{MODEL}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    _write_model(training, _build_card(training, temperature, metrics), rejection, draft)
    shutil.rmtree(folder / MODEL, ignore_errors=True)  # left by an earlier run that was killed after this point
    draft.rename(folder / MODEL)


def encode_class_mapping(labels: tuple[str, ...]) -> bytes:
    """Return JSON: output of the network -> label."""
    return json.dumps({str(i): label for i, label in enumerate(labels)}, ensure_ascii=False, indent=1).encode()


def _describe_tensors(training: FinishedTraining) -> dict[str, str]:
    """Return the metadata of a file of tensors: how its network is built, and what its outputs mean.

    It is one entry, because safetensors writes several in any order, and equal trainings should give equal files.
    """
    description = {
        "preset": training.preset.name,
        "options": dict(training.options),
        "labels": training.data.labels,
    }
    return {DESCRIPTION: json.dumps(description, ensure_ascii=False)}


def _evaluate(
    training: FinishedTraining, ink: InkInput, skip_test: bool
) -> tuple[float, dict[str, float], Rejection | None]:
    """Return the temperature fitted on the validation part, 1 without one, the accuracy on each part, and what rejects
    drawings of no label.
    """
    data, network, metrics = training.data, training.state.network, dict[str, float]()
    limit = _get_sample_limit(training)
    items = training.sample(Part.VALIDATION, limit) if skip_test else data.part(Part.VALIDATION)
    validation = _measure(training, ink, items)
    temperature = fit_temperature(validation.logits, validation.targets)
    if len(items):
        metrics["validation_accuracy"] = training.state.history[training.state.best_epoch - 1].validation_accuracy
    known = training.sample(Part.TRAIN, limit if skip_test else _MOST_MEASURED) if len(items) else items
    unknown = training.choose_unknown()
    others = _measure(training, ink, unknown).features if len(unknown) else None
    rejection = fit_rejection(_measure(training, ink, known), validation, others)
    test = data.part(Part.TEST)
    if len(test) and not skip_test:
        predicted = compute_logits(network, ink, data, test).argmax(1).numpy()
        metrics["test_accuracy"] = float((predicted == data.targets(test)).mean())
    return temperature, metrics, rejection


def _measure(training: FinishedTraining, ink: InkInput, items: NDArray[np.int64]) -> Measured:
    logits, features = measure_items(training.state.network, ink, training.data, items)
    return Measured(logits.numpy(), features.numpy(), training.data.targets(items))


def _build_card(training: FinishedTraining, temperature: float, metrics: dict[str, float]) -> ModelCard:
    return ModelCard(
        preset=training.preset.name,
        name=training.name,
        labels=training.data.labels,
        preprocessing=training.preprocessing,
        temperature=temperature,
        parameters=count_parameters(training.state.network),
        created_us=time.time_ns() // 1000,
        dataset_name=training.data.name,
        dataset_sha256=training.data.sha256,
        sha256={},
        options=dict(training.options),
        metrics=metrics,
        training=_describe_training(training),
    )


def _describe_training(training: FinishedTraining) -> dict[str, Any]:
    """Return what somebody needs to repeat the training."""
    epochs = {"epochs_trained": training.state.epoch, "best_epoch": training.state.best_epoch}
    return {**asdict(training.settings), **epochs, "torch": str(torch.__version__)}


def _write_model(
    training: FinishedTraining, card: ModelCard, rejection: Rejection | None, folder: Path
) -> None:  # fmt: skip
    """Write all files of the model into an existing folder."""
    network: nn.Module = training.state.network.cpu().float().eval()
    part = Part.VALIDATION if len(training.data.part(Part.VALIDATION)) else Part.TRAIN
    items = training.sample(part, _get_sample_limit(training))
    ink = InkInput(card.preprocessing.side, torch.device("cpu"))(training.data.rasters(items)).numpy()
    history = format_history(training.state.history, training.state.best_epoch)
    (folder / HISTORY_JSON).write_text(history, encoding="utf-8")
    card = write_model(folder, network, card)
    if card.preset in ONLINE_PRESETS:
        card = write_exemplars(folder, card, choose_exemplars(training.data, training.settings.seed))
    export_model(network, card, folder, ink, training.data.targets(items), rejection)


def _get_sample_limit(training: FinishedTraining) -> int:
    return min(_SAMPLES, _SAMPLE_PIXELS // training.preprocessing.side**2)
