"""The shipped weights: what card.json says of them, checked against the files. Loading runs no code: JSON,
safetensors, ONNX.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from haleganada_server.core.confidence import Calibration
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.head import Projection
from haleganada_server.core.knowledge import Model


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder of weights. side: of the network's square input, px. hash: SHA-256 of embedder.safetensors."""

    folder: Path
    name: str
    side: int
    hash: str
    model: Model

    @property
    def onnx(self) -> Path:
        return self.folder / "embedder.onnx"

    @property
    def safetensors(self) -> Path:
        return self.folder / "embedder.safetensors"


def load_weights(folder: Path) -> Weights:
    """Raises DataLoss if a file is missing or is not the one that card.json describes."""
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        hashes: Mapping[str, str] = card["sha256"]
        for name, expected in hashes.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
                raise _damaged(f"{name} is not the file that its card describes")
        head = load_file(folder / "head.safetensors")
        projection = Projection(*(np.asarray(head[key], np.float64) for key in ("mean", "projection", "between")))
        model = Model(projection, _calibration(card["calibration"]))
        return Weights(
            folder, f"{card['name']} {card['version']}", int(card["side"]), hashes["embedder.safetensors"], model
        )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise _damaged(f"{type(error).__name__}: {error}") from error


def _calibration(numbers: Mapping[str, Any]) -> Calibration:
    temperature, unknown = (tuple(map(float, numbers[key])) for key in ("temperature", "unknown"))
    if len(temperature) != 3 or len(unknown) != 3:
        raise ValueError("a calibration has three numbers each")
    return Calibration(temperature, unknown)


def _damaged(why: str) -> DataLoss:
    return DataLoss(f"the embedder's weights cannot be used ({why}); install the package again", "WEIGHTS_DAMAGED")
