"""A model of lines, small enough to make in a test and without a training library: it reads blocks of ink, by where in
the height of the line they stand.

Its ONNX file is written byte by byte as protobuf has it, like that of tiny_model.py.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from haleganada_server.core.models.card import LineInput, ModelCard, Preprocessing
from numpy.typing import NDArray

from tests.support.tiny_model import CREATED_US, add_metadata, make_graph, make_node

HEIGHT = 16
"""px of a line as the model sees it."""

_BLOCK = 12


def write_line_model(
    folder: Path, symbols: Sequence[str] = ("a", "b"), name: str = "blocks", kind: str = "points"
) -> Path:  # fmt: skip
    """Write a finished model folder, new below `folder`. symbols: of a block in the upper and one in the lower half."""
    home = folder / secrets.token_hex(4)
    home.mkdir(parents=True)
    card = ModelCard(
        preset="crnn",
        name=name,
        labels=tuple(symbols),
        preprocessing=Preprocessing(HEIGHT),
        temperature=1.0,
        parameters=3 * HEIGHT,
        created_us=CREATED_US,
        dataset_name="blocks",
        dataset_sha256="5" * 64,
        sha256={},
        line=LineInput(HEIGHT, symbols=kind),
    )
    (home / "model.onnx").write_bytes(_make_network() + add_metadata(card))
    sha256 = hashlib.sha256((home / "model.onnx").read_bytes()).hexdigest()
    (home / "model.json").write_text(replace(card, sha256={"model.onnx": sha256}).to_json(), encoding="utf-8")
    return home


def draw_blocks(halves: str) -> NDArray[np.uint8]:
    """Return a line of 32 px in height, (32, width, 3), with a block for each letter: u = upper half, l = lower, a
    space = none.
    """
    line = np.full((32, 3 * _BLOCK * len(halves) + _BLOCK, 3), 255, np.uint8)
    for number, half in enumerate(halves):
        left = _BLOCK + 3 * _BLOCK * number
        rows = {"u": slice(0, 16), "l": slice(16, 32), " ": slice(0, 0)}[half]
        line[rows, left : left + 2 * _BLOCK] = 0
    return line


def _make_network() -> bytes:
    """line (n, 1, 16, width) -> each column times weights -> softmax -> probabilities (n, width, 3)."""
    weights = np.zeros((3, HEIGHT), np.float32)
    half = HEIGHT // 2
    weights[1, :half], weights[1, half:] = -40 / half, 40 / half  # dark above
    weights[2] = -weights[1]
    nodes = [
        make_node("Einsum", ["weights", "line"], "products", equation="ch,nxhw->nwc"),
        make_node("Add", ["products", "bias"], "logits"),
        make_node("Softmax", ["logits"], "probabilities"),
    ]
    return make_graph(
        nodes,
        {"weights": weights, "bias": np.array([10, 0, 0], np.float32)},
        ("line", ["n", 1, HEIGHT, "width"]),
        ("probabilities", ["n", "steps", 3]),
    )
