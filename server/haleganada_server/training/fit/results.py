"""What a finished training leaves behind: the model's folder, and files for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.models.card import ModelCard, Preprocessing
from haleganada_server.core.models.presets import ONLINE_PRESETS
from haleganada_server.training.common.atomic_files import write_atomically
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.training_data import TrainingData
from haleganada_server.training.export.exemplars import choose_exemplars, write_exemplars
from haleganada_server.training.export.model_files import write_model
from haleganada_server.training.export.onnx_model import export_model
from haleganada_server.training.export.rejection import Measured, Rejection, fit_rejection

from .finished import FILES, FinishedTraining
from .loop import compute_logits, measure_items
from .reports.reporter import TrainingReporter
from .temperature import fit_temperature

CLASS_MAPPING = "class_mapping.json"
_SAMPLES, _SAMPLE_PIXELS = 1_000, 16_000_000
"""The most drawings, and pixels in all, that an export is checked on: with large drawings, 1,000 would take minutes."""

_MOST_MEASURED = 10_000
"""The most training drawings that tell how far a label's drawings lie from its mean, and unknown ones beside them."""


@dataclass(frozen=True, kw_only=True)
class FinishedDrawings(FinishedTraining):
    """A training on drawings whose epochs are over."""

    preprocessing: Preprocessing
    data: TrainingData

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
    training: FinishedDrawings, folder: Path, ink: InkInput, reporter: TrainingReporter, skip_test: bool
) -> None:
    """Write files/ and model/, the latter whole or not at all. skip_test: do not measure the test part.

    Leaves the network in its best state, on the CPU.
    """
    files, labels = folder / FILES, training.data.labels
    training.write_states(files, {"labels": labels})
    write_atomically(files / CLASS_MAPPING, encode_class_mapping(labels))
    reporter.start_stage("measuring")
    temperature, metrics, rejection = _evaluate(training, ink, skip_test)
    reporter.start_stage("exporting")
    card = training.build_card(labels, training.preprocessing, metrics, temperature=temperature)
    with training.write_model(folder) as draft:
        _write_model(training, card, rejection, draft)


def encode_class_mapping(labels: tuple[str, ...]) -> bytes:
    """Return JSON: output of the network -> label."""
    return json.dumps({str(i): label for i, label in enumerate(labels)}, ensure_ascii=False, indent=1).encode()


def _evaluate(
    training: FinishedDrawings, ink: InkInput, skip_test: bool
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


def _measure(training: FinishedDrawings, ink: InkInput, items: NDArray[np.int64]) -> Measured:
    logits, features = measure_items(training.state.network, ink, training.data, items)
    return Measured(logits.numpy(), features.numpy(), training.data.targets(items))


def _write_model(
    training: FinishedDrawings, card: ModelCard, rejection: Rejection | None, folder: Path
) -> None:  # fmt: skip
    """Write all files of the model into an existing folder."""
    network: nn.Module = training.state.network.cpu().float().eval()
    part = Part.VALIDATION if len(training.data.part(Part.VALIDATION)) else Part.TRAIN
    items = training.sample(part, _get_sample_limit(training))
    ink = InkInput(card.preprocessing.side, torch.device("cpu"))(training.data.rasters(items)).numpy()
    card = write_model(folder, network, card)
    if card.preset in ONLINE_PRESETS:
        card = write_exemplars(folder, card, choose_exemplars(training.data, training.settings.seed))
    export_model(network, card, folder, ink, training.data.targets(items), rejection)


def _get_sample_limit(training: FinishedDrawings) -> int:
    return min(_SAMPLES, _SAMPLE_PIXELS // training.preprocessing.side**2)
