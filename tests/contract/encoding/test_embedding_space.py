"""What an embedding space is named by, so that embeddings of two spaces are never compared."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.glyphs.ports import DRAWING_VERSION
from haleganada_server.runtime.weights import CARD, ONNX, PLAIN_GRAPH, SAFETENSORS, load_weights, name_space

from tests.contract.encoding.make_golden_embeddings import DRAWINGS, GOLDEN, UNIT, embed_drawings

LEAST_COSINE = 1 - 2e-4
"""Processors and versions of Pillow differ by at most 1e-4, where a value is rounded the other way; a network in float
instead of 8 bits has 0.9995, another way to draw lines 0.999.
"""


def test_drawings_have_the_embeddings_that_they_had() -> None:
    kept = json.loads(GOLDEN.read_text(encoding="utf-8"))
    remedy = "raise DRAWING_VERSION unless only the weights are new, then run make_golden_embeddings"
    embeddings = embed_drawings()
    assert list(kept["embeddings"]) == list(DRAWINGS)
    for name, numbers in kept["embeddings"].items():
        before = np.array(numbers) * UNIT
        cosine = before @ embeddings[name] / np.linalg.norm(before) / np.linalg.norm(embeddings[name])
        assert cosine >= LEAST_COSINE, f"{name}: {remedy}"
    assert kept["drawing_version"] == DRAWING_VERSION, remedy


def test_embeddings_that_were_taught_keep_their_name(weights_dir: Path) -> None:
    """Nobody waits for samples to be embedded again after an update that changes nothing."""
    kept = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert load_weights(weights_dir).hash == kept["hash"]


def _change_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """Change a copy of the weights' card; return the name of its embedding space."""
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    change(card)
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    return load_weights(folder).hash


def test_another_graph_of_the_same_tensors_is_another_space(weights_dir: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(weights_dir, tmp_path / "weights")
    before = load_weights(folder).hash
    graph = folder / ONNX
    graph.write_bytes(graph.read_bytes() + bytes([0x9A, 0x06, 0]))  # an empty field that ONNX does not know
    changed = hashlib.sha256(graph.read_bytes()).hexdigest()
    names = {before, _change_card(folder, lambda card: card["sha256"].update({ONNX: changed}))}
    assert len(names) == 2
    old_card = _change_card(folder, lambda card: card.pop(PLAIN_GRAPH))
    tensors = hashlib.sha256((folder / SAFETENSORS).read_bytes()).hexdigest()
    assert old_card == tensors, "cards from before graphs counted name the space by their tensors"


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("plain_graph", [None, "", "graph", "another"])
def test_another_way_to_draw_is_another_space(version: int, plain_graph: str | None) -> None:
    assert name_space("tensors", "graph", plain_graph, version) != name_space("tensors", "graph", plain_graph, 1)
    assert len({name_space("tensors", graph, "", version) for graph in ("graph", "another")}) == 2
