"""From a trained state to what a training leaves behind: the model's folder, and files for people."""

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
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.presets import ONLINE_PRESETS
from haleganada_server.training.common.atomic_files import write_atomically, write_safetensors
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.training_data import TrainingData
from haleganada_server.training.export.exemplars import choose_exemplars, write_exemplars
from haleganada_server.training.export.half_precision import compact, round_matrices
from haleganada_server.training.export.model_files import write_model
from haleganada_server.training.export.onnx_model import export_model
from haleganada_server.training.presets import Preset, parameter_count

from .history import HISTORY_JSON, History, history_json
from .loop import measure
from .report import FitReport
from .settings import FitSettings
from .state import FitState, plain_tensors
from .temperature import fit_temperature

FILES, MODEL = "files", "model"
LAST_STATE, BEST_STATE = "final_model.safetensors", "best_model.safetensors"
CLASS_MAPPING, ABOUT = "class_mapping.json", "haleganada"
_SAMPLES, _SAMPLE_PIXELS = 1_000, 16_000_000
"""How many drawings the exports are checked on at most; of large ones fewer, which would take minutes."""


@dataclass(frozen=True)
class Trained:
    """A training whose epochs are over. options: of the preset's network."""

    preset: Preset
    name: str
    data: TrainingData
    settings: FitSettings
    options: Mapping[str, Any]
    state: FitState

    def sample(self, part: Part, most: int) -> NDArray[np.int64]:
        """At most `most` items of a part, chosen by the seed."""
        items = self.data.part(part)
        return np.sort(np.random.default_rng(self.settings.seed).permutation(items)[:most])


def write_results(trained: Trained, folder: Path, ink: InkInput, told: FitReport, hasty: bool) -> None:
    """Write files/ and model/, the latter complete or not at all. hasty: leave the measurement of the test part out.

    The network holds the best state then, on the CPU.
    """
    state, files = trained.state, folder / FILES
    History(files).write(state.history, state.best_epoch, last=True)
    about = _about(trained)
    write_safetensors(files / LAST_STATE, plain_tensors(state.network), about)
    write_atomically(files / CLASS_MAPPING, class_mapping(trained.data.labels))
    state.network.load_state_dict(state.best)
    round_matrices(state.network)
    write_safetensors(files / BEST_STATE, compact(plain_tensors(state.network)), about)
    told.stage("measuring")
    temperature, metrics = _measured(trained, ink, hasty)
    told.stage("exporting")
    draft = folder / f"{MODEL}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    _write_model(trained, _card(trained, temperature, metrics), draft)
    shutil.rmtree(folder / MODEL, ignore_errors=True)  # of an earlier sitting, which came as far and was killed then
    draft.rename(folder / MODEL)


def class_mapping(labels: tuple[str, ...]) -> bytes:
    """JSON: output of the network -> label."""
    return json.dumps({str(i): label for i, label in enumerate(labels)}, ensure_ascii=False, indent=1).encode()


def _about(trained: Trained) -> dict[str, str]:
    """What a file of tensors says of itself: how its network is built, and what its outputs mean. One entry, for
    safetensors writes several in any order, and equal trainings give equal files.
    """
    about = {"preset": trained.preset.name, "options": dict(trained.options), "labels": trained.data.labels}
    return {ABOUT: json.dumps(about, ensure_ascii=False)}


def _measured(trained: Trained, ink: InkInput, hasty: bool) -> tuple[float, dict[str, float]]:
    """The temperature that suits the validation part, 1 without one; and the accuracies of the parts that there are."""
    data, network, metrics = trained.data, trained.state.network, dict[str, float]()
    validation = trained.sample(Part.VALIDATION, _samples(trained)) if hasty else data.part(Part.VALIDATION)
    temperature = fit_temperature(measure(network, ink, data, validation).numpy(), data.targets(validation))
    if len(validation):
        metrics["validation_accuracy"] = trained.state.history[trained.state.best_epoch - 1].validation_accuracy
    test = data.part(Part.TEST)
    if len(test) and not hasty:
        answers = measure(network, ink, data, test).argmax(1).numpy()
        metrics["test_accuracy"] = float((answers == data.targets(test)).mean())
    return temperature, metrics


def _card(trained: Trained, temperature: float, metrics: dict[str, float]) -> ModelCard:
    return ModelCard(
        preset=trained.preset.name,
        name=trained.name,
        labels=trained.data.labels,
        preprocessing=trained.preset.preprocessing,
        temperature=temperature,
        parameters=parameter_count(trained.state.network),
        created_us=time.time_ns() // 1000,
        dataset_name=trained.data.name,
        dataset_sha256=trained.data.sha256,
        sha256={},
        options=dict(trained.options),
        metrics=metrics,
        training=_training(trained),
    )


def _training(trained: Trained) -> dict[str, Any]:
    """What it was trained with, for whoever wants to repeat it."""
    course = {"epochs_trained": trained.state.epoch, "best_epoch": trained.state.best_epoch}
    return {**asdict(trained.settings), **course, "torch": str(torch.__version__)}


def _write_model(trained: Trained, card: ModelCard, folder: Path) -> None:
    """All files of a model, in a folder that exists."""
    network: nn.Module = trained.state.network.cpu().float().eval()
    part = Part.VALIDATION if len(trained.data.part(Part.VALIDATION)) else Part.TRAIN
    items = trained.sample(part, _samples(trained))
    ink = InkInput(card.preprocessing.side, torch.device("cpu"))(trained.data.rasters(items)).numpy()
    history = history_json(trained.state.history, trained.state.best_epoch)
    (folder / HISTORY_JSON).write_text(history, encoding="utf-8")
    known = write_model(folder, network, card)
    if card.preset in ONLINE_PRESETS:
        known = write_exemplars(folder, known, choose_exemplars(trained.data, trained.settings.seed))
    export_model(network, known, folder, ink, trained.data.targets(items))


def _samples(trained: Trained) -> int:
    return min(_SAMPLES, _SAMPLE_PIXELS // trained.preset.preprocessing.side**2)
