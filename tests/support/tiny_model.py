"""Folders of trained models, small enough to make in a test and without a training library.

The network is one layer: a drawing's pixels times a template for each label, then a softmax. Its ONNX file is written
byte by byte as protobuf has it, in the shape that the product's own exports have.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from haleganada_server.core.models.card import ModelCard, Preprocessing
from haleganada_server.core.models.files import METADATA
from haleganada_server.vision import model_input
from numpy.typing import NDArray

SIDE = 16
CREATED_US = 1_700_000_000_000_000
_FLOAT, _INT64_ATTRIBUTE, _STRING_ATTRIBUTE = 1, 2, 3
_SHARPNESS = 40.0  # probabilities near 0 and 1, as trained networks have them

REPORT = {
    "samples": 400,
    "parity": 1.9e-06,
    "int8_method": "static",
    "float32": {"bytes": 690_174, "accuracy": 0.943, "milliseconds": 0.56, "same_answers": 1.0},
    "int8": {"bytes": 371_287, "accuracy": 0.939, "milliseconds": 0.46, "same_answers": 0.9925},
}
"""An export report with metrics that were never measured."""


Value = tuple[str, Sequence[str | int]]
"""An input or output: its name and its shape."""


@dataclass(frozen=True)
class TinyModel:
    """What a folder is made from. templates: label -> ink raster (128, 128) uint8 that it is recognized by."""

    templates: Mapping[str, NDArray[np.uint8]]
    name: str = "tiny"
    created_us: int = CREATED_US
    metrics: Mapping[str, float] = field(default_factory=lambda: {"validation_accuracy": 0.75, "milliseconds": 0.2})
    int8: bool = True


def write_tiny_model(folder: Path, model: TinyModel, spoil: Callable[[Path], None] | None = None) -> Path:
    """A finished model folder, new below `folder`. spoil: damages it before it is used."""
    home = folder / secrets.token_hex(4)
    home.mkdir(parents=True)
    weights = _weights(list(model.templates.values()))
    card = ModelCard(
        preset="tiny-cnn",
        name=model.name,
        labels=tuple(model.templates),
        preprocessing=Preprocessing(SIDE),
        temperature=1.0,
        parameters=weights.size,
        created_us=model.created_us,
        dataset_name="shapes",
        dataset_sha256="5" * 64,
        sha256={},
        metrics=dict(model.metrics),
    )
    (home / "model.onnx").write_bytes(network(weights) + add_metadata(card))
    (home / "model.safetensors").write_bytes(_safetensors(weights))
    if model.int8:
        (home / "model.int8.onnx").write_bytes(network(weights.round(1)) + add_metadata(card))
    (home / "export.json").write_text(json.dumps(REPORT), encoding="utf-8")
    hashes = {path.name: _sha256(path) for path in sorted(home.iterdir()) if path.name != "export.json"}
    card = replace(card, sha256=hashes, sizes={name: (home / name).stat().st_size for name in hashes})
    (home / "model.json").write_text(card.to_json(), encoding="utf-8")
    if spoil is not None:
        spoil(home)
    return home


def _weights(templates: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """(SIDE * SIDE, classes): templates of length one, so that a drawing's products with them are cosines."""
    pixels = model_input(np.stack(templates), SIDE).reshape(len(templates), -1)
    return np.asarray(_SHARPNESS * (pixels / np.linalg.norm(pixels, axis=1, keepdims=True)).T, dtype=np.float32)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _safetensors(weights: NDArray[np.float32]) -> bytes:
    entry = {"dtype": "F32", "shape": list(weights.shape), "data_offsets": [0, weights.nbytes]}
    header = json.dumps({"weights": entry}).encode()
    return struct.pack("<Q", len(header)) + header + weights.tobytes()


def network(weights: NDArray[np.float32], side: int = SIDE) -> bytes:
    """ONNX: ink (n, 1, side, side) -> flat -> of length one -> times weights -> softmax -> probabilities (n,
    classes).
    """
    nodes = [
        make_node("Flatten", ["ink"], "flat", axis=1),
        make_node("LpNormalization", ["flat"], "direction", axis=1, p=2),
        make_node("MatMul", ["direction", "weights"], "logits"),
        make_node("Softmax", ["logits"], "probabilities", axis=1),
    ]
    probabilities = ("probabilities", ["n", weights.shape[1]])
    return make_graph(nodes, {"weights": weights}, ("ink", ["n", 1, side, side]), probabilities)


def make_graph(
    nodes: Sequence[bytes], constants: Mapping[str, NDArray[np.float32]], given: Value, found: Value
) -> bytes:  # fmt: skip
    """ONNX of some nodes. given, found: input and output."""
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"tiny")
    graph += b"".join(_field(5, _tensor(name, values)) for name, values in constants.items())
    graph += _field(11, _value(*given)) + _field(12, _value(*found))
    version = _field(1, b"") + _number(2, 17)
    return _number(1, 8) + _field(7, graph) + _field(8, version)


def add_metadata(card: ModelCard) -> bytes:
    """A card as an entry of a network's metadata, to be put behind it."""
    return _field(14, _field(1, METADATA.encode()) + _field(2, card.to_json().encode()))


def make_node(kind: str, inputs: list[str], output: str, **attributes: int | str) -> bytes:
    """One operation of a graph."""
    named = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    given = [_field(1, name.encode()) + _attribute(value) for name, value in attributes.items()]
    return named + _field(4, kind.encode()) + b"".join(_field(5, attribute) for attribute in given)


def _attribute(value: int | str) -> bytes:
    if isinstance(value, str):
        return _field(4, value.encode()) + _number(20, _STRING_ATTRIBUTE)
    return _number(3, value) + _number(20, _INT64_ATTRIBUTE)


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    shape = b"".join(_number(1, length) for length in values.shape)
    return shape + _number(2, _FLOAT) + _field(8, name.encode()) + _field(9, values.astype("<f4").tobytes())


def _value(name: str, shape: Sequence[str | int]) -> bytes:
    dims = [_field(2, length.encode()) if isinstance(length, str) else _number(1, length) for length in shape]
    tensor = _number(1, _FLOAT) + _field(2, b"".join(_field(1, dim) for dim in dims))
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    """An integer field of protobuf."""
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
