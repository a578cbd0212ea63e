"""The valid settings of a training. The preset decides what is not given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haleganada_server.core import limits
from haleganada_server.core.datasets.dataset import DatasetInfo, DatasetKind, Part
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, Precondition
from haleganada_server.core.models.presets import PRESET_FACTS, preset_facts

_RANGES: dict[str, limits.Range[int] | limits.Range[float]] = {
    "epochs": limits.EPOCHS,
    "batch_size": limits.BATCH_SIZE,
    "learning_rate": limits.LEARNING_RATE,
    "weight_decay": limits.WEIGHT_DECAY,
    "patience": limits.PATIENCE,
    "accumulation": limits.ACCUMULATION,
    "frozen_epochs": limits.FROZEN_EPOCHS,
    "seed": limits.SEED,
    "checkpoint_every": limits.CHECKPOINT_EVERY,
    "image_size_px": limits.IMAGE_SIZE_PX,
    "workers": limits.WORKERS,
    "rotation_degrees": limits.ROTATION_DEGREES,
    "shift": limits.SHIFT,
    "scale": limits.SCALE,
    "tilt": limits.TILT,
    "bend": limits.BEND,
    "ink": limits.INK,
}
_CHOICES = {
    "optimizer": limits.OPTIMIZERS,
    "schedule": limits.SCHEDULES,
    "class_weights": limits.CLASS_WEIGHTS,
}
_EVALUATION_S = 0.01
"""For a model to recognize a drawing, roughly."""
_SWITCHES = ("mixed_precision", "augment", "tensorboard")


def validate_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, by their names in the contract. Raises InvalidInput for one that is out of range."""
    for name, value in given.items():
        _validate_setting(f"settings.{name}", name, value)
    return dict(given)


def require_image_size(preset: str, side: int) -> None:
    """Raise InvalidInput unless a preset's network can have an input of that many px."""
    facts = preset_facts(preset)
    if side != facts.preprocessing.side and not facts.is_resizable:
        raise InvalidInput(
            "settings.image_size_px", f"is {side}; the input of “{preset}” always has {facts.preprocessing.side} px"
        )


def require_fitting_kind(preset: str, dataset: DatasetInfo) -> None:
    """Raise Precondition unless a data set has what a preset is for: drawings or lines. Raises InvalidInput for an
    unknown preset.
    """
    facts = preset_facts(preset)
    is_lines = dataset.kind is DatasetKind.LINES
    if facts.reads_lines != is_lines:
        fitting = [name for name, other in PRESET_FACTS.items() if other.reads_lines == is_lines]
        raise Precondition(
            f"the data set “{dataset.name}” has {dataset.kind.value}, and the preset {preset} is for "
            f"{'lines' if facts.reads_lines else 'drawings'}; choose {', '.join(fitting)}, or another data set",
            Reason.DATASET_UNUSABLE,
        )


def require_trainable(preset: str, dataset: DatasetInfo) -> None:
    """Raise Precondition unless there are drawings of two or more labels to train on, or lines for a preset that reads
    lines.
    """
    require_fitting_kind(preset, dataset)
    if dataset.kind is DatasetKind.LINES:
        if not dataset.count(Part.TRAIN):
            raise Precondition(
                f"the data set “{dataset.name}” has no lines to train on; add one with more", Reason.DATASET_UNUSABLE
            )
        return
    labels = sum(1 for label in dataset.labels if label.train)
    if labels < 2:
        raise Precondition(
            f"the data set “{dataset.name}” has {dataset.count(Part.TRAIN):,} drawings to train on, with {labels} "
            "label(s); a model needs at least two labels: upload a data set with more",
            Reason.DATASET_UNUSABLE,
        )


def require_testable(dataset: DatasetInfo) -> None:
    """Raise Precondition unless there are drawings or lines to test on."""
    if not dataset.count(Part.TEST) and not dataset.count(Part.VALIDATION):
        raise Precondition(
            f"the data set “{dataset.name}” has nothing to test on; upload it with a test part, or with a test share",
            Reason.DATASET_UNUSABLE,
        )


def estimate_training_s(preset: str, dataset: DatasetInfo, settings: Mapping[str, Any]) -> float:
    """Return about how many seconds a training takes on one core, if it does not stop early."""
    facts = preset_facts(preset)
    epochs = int(settings.get("epochs") or facts.defaults.epochs)
    return epochs * dataset.count(Part.TRAIN) * facts.step_ms / 1000


def estimate_evaluation_s(models: int, dataset: DatasetInfo, quick: bool) -> float:
    """Return about how many seconds an evaluation takes on one core."""
    drawings = dataset.count(Part.TEST) or dataset.count(Part.VALIDATION)
    asked = min(drawings, limits.QUICK_EVALUATION_DRAWINGS) if quick else drawings
    return models * asked * _EVALUATION_S


def _validate_setting(field: str, name: str, value: Any) -> None:
    if name in _RANGES:
        if not _RANGES[name].includes(value):
            raise InvalidInput(field, f"is {value}; give {_RANGES[name]}, or leave it out for the preset's own")
    elif name in _CHOICES:
        if value not in _CHOICES[name]:
            raise InvalidInput(field, f"is not known; choose {' or '.join(_CHOICES[name])}")
    elif name not in _SWITCHES:
        raise InvalidInput(field, "is not a training setting")
    elif not isinstance(value, bool):
        raise InvalidInput(field, "is neither true nor false")
