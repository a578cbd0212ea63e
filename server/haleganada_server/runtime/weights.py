"""Loading a folder of weights, and checking it against its model card.

The folder holds card.json, head.safetensors (mean, projection, between) and embedder.onnx, which computes embeddings on
every device. embedder.safetensors, from which training goes on, is there too, but not in an installed wheel: what loads
here does without it. Loading runs no code from the folder.
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
from haleganada_server.core.glyphs.ports import DRAWING_VERSION

CARD, HEAD, ONNX, SAFETENSORS = "card.json", "head.safetensors", "embedder.onnx", "embedder.safetensors"
PLAIN_GRAPH = "plain_graph"
"""The card's entry, see name_space."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weights:
    """A checked folder of weights.

    name: name and version from the card. hash: 64 hexadecimal digits that name the embedding space, on every device,
    see name_space. side: height and width of the network's input in px. parameters: number of its weights and biases, 0
    if the card does not say.
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


def load_weights(folder: Path) -> Weights:
    """Load and check a folder of weights. Raises Precondition if a file is missing or differs from the card."""
    card = _read_card(folder / CARD)
    try:
        hashes: dict[str, str] = card["sha256"]
        space = name_space(hashes[SAFETENSORS], hashes[ONNX], card.get(PLAIN_GRAPH))
        name, side = f"{card['name']} {card['version']}", int(card["side"])
        parameters = int(card.get("parameters", 0))
        calibration = _parse_calibration(card["calibration"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(CARD, f"an entry is missing or wrong, {error}") from error
    for file in (ONNX, HEAD):
        _check_hash(folder / file, hashes.get(file, ""))
    return Weights(
        folder=folder,
        name=name,
        hash=space,
        side=side,
        parameters=parameters,
        head_parameters=HeadParameters(_read_projection(folder / HEAD), calibration),
    )


def name_space(tensors: str, graph: str, plain_graph: str | None, drawing_version: int = DRAWING_VERSION) -> str:
    """Return the name of an embedding space: embeddings of one name can be compared, others are made again.

    tensors, graph: SHA-256 of embedder.safetensors and embedder.onnx. plain_graph: of the graph with which the space
    has the name of its tensors, as all spaces had once; "" = none, None = this one, in a card that does not say.
    drawing_version: see core.glyphs.ports; the first one is not part of the name.
    """
    is_plain = plain_graph is None or plain_graph == graph
    if is_plain and drawing_version == 1:
        return tensors
    parts = [tensors, "" if is_plain else graph, str(drawing_version)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path.name, "it is missing or not JSON") from error
    if not isinstance(card, dict):
        raise _unusable(path.name, "it is not a JSON object")
    return card


def check_file(path: Path) -> None:
    """Raise Precondition unless a file of a folder of weights is as the card beside it says."""
    hashes = _read_card(path.with_name(CARD)).get("sha256", {})
    _check_hash(path, hashes.get(path.name, ""))


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
    missing_labels = entry.get("missing_labels")  # cards of older weights have none
    if missing_labels is not None and not float(missing_labels) > 0:
        raise ValueError(f"calibration has {missing_labels} missing labels instead of more than 0")
    return Calibration(
        _parse_row(entry["temperature"], TEMPERATURE_COEFFICIENTS),
        (summand, by_distance, by_lead),
        None if missing_labels is None else float(missing_labels),
    )


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
