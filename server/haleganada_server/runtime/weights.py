"""The shipped weights: what belongs to them, and that they are what their model card says.

A folder of weights holds card.json, head.safetensors (mean, projection, between), embedder.safetensors, and for the CPU
embedder.onnx, which reads its matrices from there. Nothing in it runs code when it is loaded.
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
from haleganada_server.core.fewshot.head import Projection
from haleganada_server.core.fewshot.parameters import HeadParameters

CARD, HEAD, ONNX, SAFETENSORS = "card.json", "head.safetensors", "embedder.onnx", "embedder.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A folder of weights that was checked.

    name: name and version from the card. hash: SHA-256 of embedder.safetensors, hexadecimal; it names the embedding
    space, on every device. side: height and width in px of what the network takes. parameters: its weights and biases,
    0 if the card does not say.
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
    """Read and check a folder of weights. Raises Precondition if a file is missing or is not the card's."""
    card = _read_card(folder / CARD)
    try:
        hashes: dict[str, str] = card["sha256"]
        name, side = f"{card['name']} {card['version']}", int(card["side"])
        parameters = int(card.get("parameters", 0))
        calibration = _calibration(card["calibration"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(CARD, f"an entry is missing or wrong, {error}") from error
    for file in (ONNX, SAFETENSORS, HEAD):
        _check(folder / file, hashes.get(file, ""))
    return Weights(
        folder, name, hashes[SAFETENSORS], side, parameters, HeadParameters(_read_head(folder / HEAD), calibration)
    )


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path.name, "it is missing or not JSON") from error
    if not isinstance(card, dict):
        raise _unusable(path.name, "it is not a JSON object")
    return card


def _check(path: Path, expected: str) -> None:
    try:
        actual = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise _unusable(path.name, "it is missing or cannot be read") from error
    if actual != expected:
        raise _unusable(path.name, f"its SHA-256 is not the one in {CARD}")


def _read_head(path: Path) -> Projection:
    tensors = load_file(path)
    try:
        mean, matrix, between = (np.asarray(tensors[key], np.float64) for key in ("mean", "projection", "between"))
    except KeyError as error:
        raise _unusable(path.name, f"it holds no {error}") from error
    if matrix.shape != (len(mean), len(between)) or not (between > 0).all():
        raise _unusable(path.name, "its parts do not fit each other")
    return Projection(mean, matrix, between)


def _calibration(entry: Any) -> Calibration:
    summand, by_distance, by_lead = (_numbers(numbers, UNKNOWN_COEFFICIENTS) for numbers in entry["unknown"])
    return Calibration(_numbers(entry["temperature"], TEMPERATURE_COEFFICIENTS), (summand, by_distance, by_lead))


def _numbers(entry: Any, count: int) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in entry)
    if len(numbers) != count:
        raise ValueError(f"calibration has a row of {len(numbers)} numbers instead of {count}")
    return numbers


def _unusable(name: str, why: str) -> Precondition:
    return Precondition(
        f"the weights cannot be used: {name}: {why}; install haleganada again, or choose other weights with --weights",
        Reason.WEIGHTS_DAMAGED,
    )
