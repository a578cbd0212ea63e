"""The settings of one training: those that were requested, and the preset's own for the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from haleganada_server.core.limits import DEFAULT_ACCUMULATION, DEFAULT_CHECKPOINT_EVERY, DEFAULT_PATIENCE
from haleganada_server.training.common.augment import USUAL, Strengths

_MIN_BATCH, _STEPS_PER_EPOCH, _MIN_STEPS = 8, 16, 300
"""For small data sets: a preset's own batch might hold all of one, and a few dozen steps teach nothing."""
_OLD_NAMES = {"optimiser": "optimizer"}
"""Names in requests that an earlier version stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Names and ranges are those of TrainingSettings in the contract. batch_size: in each process.

    mixed_precision: None = on GPUs that are fast at it. workers: 0 = one for each core.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.01
    optimizer: str = "adamw"
    schedule: str = "cosine"
    patience: int = DEFAULT_PATIENCE
    accumulation: int = DEFAULT_ACCUMULATION
    mixed_precision: bool | None = None
    frozen_epochs: int = 0
    augment: bool = True
    seed: int = 0
    checkpoint_every: int = DEFAULT_CHECKPOINT_EVERY
    tensorboard: bool = False
    image_size_px: int = 0
    workers: int = 0
    rotation_degrees: float = USUAL.rotation_degrees
    shift: float = USUAL.shift
    scale: float = USUAL.scale
    tilt: float = USUAL.tilt
    bend: float = USUAL.bend
    ink: float = USUAL.ink
    class_weights: str = "none"

    @property
    def strengths(self) -> Strengths:
        """How strongly to augment."""
        return Strengths(
            rotation_degrees=self.rotation_degrees,
            shift=self.shift,
            scale=self.scale,
            tilt=self.tilt,
            bend=self.bend,
            ink=self.ink,
        )

    @staticmethod
    def resolve(
        defaults: Mapping[str, Any], requested: Mapping[str, Any], drawings: int
    ) -> TrainingSettings:  # fmt: skip
        """Complete the requested settings with a preset's defaults, adapted to the number of drawings to train on.

        Unknown entries of either are ignored.
        """
        requested = {_OLD_NAMES.get(name, name): value for name, value in requested.items()}
        known = {f.name for f in fields(TrainingSettings)}
        merged = {**_adapt_to_size(defaults, requested, drawings), **requested}
        return TrainingSettings(**{k: v for k, v in merged.items() if k in known})


def _adapt_to_size(defaults: Mapping[str, Any], requested: Mapping[str, Any], drawings: int) -> dict[str, Any]:
    """Return a preset's settings with batches small enough, and epochs numerous enough, for so few drawings."""
    fitting = 1 << max(0, (drawings // _STEPS_PER_EPOCH).bit_length() - 1)  # a power of two
    batch = min(int(defaults["batch_size"]), max(_MIN_BATCH, fitting))
    steps = max(1, drawings // int(requested.get("batch_size", batch)))
    return {**defaults, "batch_size": batch, "epochs": max(int(defaults["epochs"]), math.ceil(_MIN_STEPS / steps))}
