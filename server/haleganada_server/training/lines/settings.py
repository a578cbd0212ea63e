"""The settings of a training of lines: those that were requested, and the preset's own for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.presets import Preset

from .batches import MOST_IN_EPOCH

_LEAST_STEPS = 1_500
_STEPS_FROM_MODEL = 300
"""Steps that a small data set should make: fewer hardly teach a new network to read at all, or a trained one a hand."""


def resolve_settings(preset: Preset, requested: Mapping[str, Any], lines: int, has_model: bool) -> TrainingSettings:
    """Complete the requested settings. lines: to train on. has_model: the training starts from a model that reads, at a
    third of the usual learning rate.
    """
    defaults = {**asdict(preset.defaults), "image_size_px": preset.preprocessing.side}
    if has_model:
        defaults["learning_rate"] /= 3
    defaults["batch_size"] = min(defaults["batch_size"], max(4, lines // 8))
    settings = TrainingSettings.resolve(defaults, {"batch_size": defaults["batch_size"], **requested}, lines)
    if requested.get("epochs"):
        return settings
    least = _STEPS_FROM_MODEL if has_model or preset.facts.starts_trained else _LEAST_STEPS
    steps = max(1, min(lines, MOST_IN_EPOCH) // settings.batch_size)
    return replace(settings, epochs=max(int(defaults["epochs"]), -(-least // steps)))
