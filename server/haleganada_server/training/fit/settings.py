"""How one training goes: what was asked for, and the preset's own settings for the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

_LEAST_BATCH, _STEPS_AN_EPOCH, _LEAST_STEPS = 8, 16, 300
"""Of a small data set: a preset's own batch might hold all of it, and a few dozen steps teach nothing."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """See TrainingSettings in the contract, whose names and ranges these are. batch_size: in each process.

    mixed_precision: None = on GPUs that are fast at it.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.01
    optimizer: str = "adamw"
    schedule: str = "cosine"
    patience: int = 15
    accumulation: int = 1
    mixed_precision: bool | None = None
    frozen_epochs: int = 0
    augment: bool = True
    seed: int = 0
    checkpoint_every: int = 1
    tensorboard: bool = False

    @staticmethod
    def of(defaults: Mapping[str, Any], given: Mapping[str, Any], drawings: int) -> FitSettings:
        """The settings given, on top of a preset's as they suit so many drawings to train on. Other entries of either
        are passed over.
        """
        known = {f.name for f in fields(FitSettings)}
        chosen = {k: v for k, v in {**_suited(defaults, given, drawings), **given}.items() if k in known}
        return FitSettings(**chosen)


def _suited(defaults: Mapping[str, Any], given: Mapping[str, Any], drawings: int) -> dict[str, Any]:
    """A preset's settings with smaller batches, if it has too few drawings for them, and then with epochs enough."""
    usual = int(defaults["batch_size"])
    wanted = 1 << max(0, (drawings // _STEPS_AN_EPOCH).bit_length() - 1)  # a power of two
    batch = min(usual, max(_LEAST_BATCH, wanted))
    steps = max(1, drawings // int(given.get("batch_size", batch)))
    return {**defaults, "batch_size": batch, "epochs": max(int(defaults["epochs"]), math.ceil(_LEAST_STEPS / steps))}
