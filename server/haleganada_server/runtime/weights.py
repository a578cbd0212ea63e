"""Loading a folder of weights, and checking it against its model card.

The folder holds card.json, head.safetensors (mean, projection, between), embedder.safetensors, and for the CPU
embedder.onnx, which refers to the tensors in embedder.safetensors. Loading runs no code from it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.fewshot.confidence import TEMPERATURE_COEFFICIENTS, UNKNOWN_COEFFICIENTS, Calibration
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.fewshot.projection import Projection

CARD, HEAD, ONNX, SAFETENSORS = "card.json", "head.safetensors", "embedder.onnx", "embedder.safetensors"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weights:
    """A checked folder of weights.

    name: name and version from the card. hash: SHA-256 of embedder.safetensors, hexadecimal; it names the embedding
    space, on every device. side: height and width of the network's input in px. parameters: number of its weights and
    biases, 0 if the card does not say.
    """

    folder: Path
    name: str
    hash: str
    side: int
    parameters: int
    head_parameters: HeadParameters

    @property
    def onnx(self) -> Path:
        return self.folder / ONNX

    @property
    def safetensors(self) -> Path:
        return self.folder / SAFETENSORS


def load_weights(folder: Path) -> Weights:
    """Load and check a folder of weights. Raises Precondition if a file is missing or differs from the card."""
    card = _read_card(folder / CARD)
    try:
        hashes: dict[str, str] = card["sha256"]
        name, side = f"{card['name']} {card['version']}", int(card["side"])
        parameters = int(card.get("parameters", 0))
        calibration = _parse_calibration(card["calibration"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(CARD, f"an entry is missing or wrong, {error}") from error
    for file in (ONNX, SAFETENSORS, HEAD):
        _check_hash(folder / file, hashes.get(file, ""))
    return Weights(
        folder=folder,
        name=name,
        hash=hashes[SAFETENSORS],
        side=side,
        parameters=parameters,
        head_parameters=HeadParameters(_read_projection(folder / HEAD), calibration),
    )


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path.name, "it is missing or not JSON") from error
    if not isinstance(card, dict):
        raise _unusable(path.name, "it is not a JSON object")
    return card


def _check_hash(path: Path, expected: str) -> None:
    try:
        actual = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise _unusable(path.name, "it is missing or cannot be read") from error
    if actual != expected:
        raise _unusable(path.name, f"its SHA-256 is not the one in {CARD}")


def _read_projection(path: Path) -> Projection:
    tensors = load_file(path)
    try:
        mean, matrix, between = (np.asarray(tensors[key], np.float64) for key in ("mean", "projection", "between"))
    except KeyError as error:
        raise _unusable(path.name, f"it does not contain {error}") from error
    if matrix.shape != (len(mean), len(between)) or not (between > 0).all():
        raise _unusable(path.name, "the shapes of its tensors do not match")
    return Projection(mean, matrix, between)


def _parse_calibration(entry: Any) -> Calibration:
    summand, by_distance, by_lead = (_parse_row(numbers, UNKNOWN_COEFFICIENTS) for numbers in entry["unknown"])
    return Calibration(_parse_row(entry["temperature"], TEMPERATURE_COEFFICIENTS), (summand, by_distance, by_lead))


def _parse_row(entry: Any, count: int) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in entry)
    if len(numbers) != count:
        raise ValueError(f"calibration has a row of {len(numbers)} numbers instead of {count}")
    return numbers


def _unusable(name: str, why: str) -> Precondition:
    return Precondition(
        f"the weights cannot be used: {name}: {why}; install haleganada again, or choose other weights with --weights",
        Reason.WEIGHTS_DAMAGED,
    )
