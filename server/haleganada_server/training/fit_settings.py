"""How one training goes: what was asked for, and the preset's own settings for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class FitSettings:
    """See TrainingSettings in the contract, whose names and ranges these are. batch_size: in each process.

    mixed_precision: None = on CUDA only.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.01
    optimiser: str = "adamw"
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
    def of(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> FitSettings:
        """The settings given, on top of a preset's. Other entries of either are passed over."""
        known = {f.name for f in fields(FitSettings)}
        return FitSettings(**{k: v for k, v in {**defaults, **given}.items() if k in known})
