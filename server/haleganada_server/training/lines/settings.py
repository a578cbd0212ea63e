"""The settings of a training of lines: those that were requested, and the preset's own for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.presets import Preset

from .batches import MOST_IN_EPOCH

_LEAST_STEPS = 1_500
_STEPS_TRAINED, _STEPS_OF_HAND = 300, 500
"""Steps that a small data set should make: fewer hardly teach a new network to read at all, or a trained one a typeface
or a hand.
"""

_BATCH_OF_HAND, _RATE_OF_HAND = 8, 0.75
"""Lines in a step, and what the learning rate of PP-OCR's network is multiplied by, where a model learns a hand. Other
trainings that start from a model have a third of the rate, or they would forget letters that the new lines lack.
"""


def resolve_settings(
    preset: Preset, requested: Mapping[str, Any], lines: int, has_model: bool, is_hand: bool = False
) -> TrainingSettings:  # fmt: skip
    """Complete the requested settings. lines: to train on. has_model: the training starts from a model that reads.
    is_hand: and the lines are few, in letters that the model knows.
    """
    defaults = {**asdict(preset.defaults), "image_size_px": preset.preprocessing.side}
    if is_hand and preset.facts.starts_trained:
        defaults["learning_rate"] *= _RATE_OF_HAND
        defaults["batch_size"] = min(defaults["batch_size"], _BATCH_OF_HAND)
    elif has_model:
        defaults["learning_rate"] /= 3
    defaults["batch_size"] = min(defaults["batch_size"], max(4, lines // 8))
    settings = TrainingSettings.resolve(defaults, {"batch_size": defaults["batch_size"], **requested}, lines)
    if requested.get("epochs"):
        return settings
    least = _STEPS_TRAINED if has_model or preset.facts.starts_trained else _LEAST_STEPS
    least = _STEPS_OF_HAND if is_hand else least
    steps = max(1, min(lines, MOST_IN_EPOCH) // settings.batch_size)
    return replace(settings, epochs=max(int(defaults["epochs"]), -(-least // steps)))
