"""The few-shot head's fixed parameters, which ship with the weights."""

from __future__ import annotations

from dataclasses import dataclass

from .confidence import Calibration
from .projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class HeadParameters:
    """The projection and the calibration; all workspaces share them."""

    projection: Projection
    calibration: Calibration
