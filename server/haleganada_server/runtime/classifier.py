"""A model that was trained on a data set, run on the CPU by onnxruntime.

All that it does to a drawing, from its mean and standard deviation to temperature and softmax, is inside its graph;
only the way from the raster to its height and width is not, and is handed in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from haleganada_server.core.errors import Precondition
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import CARD, METADATA, ONNX, damaged_model, require_intact

Rasters = NDArray[np.uint8]  # (n, 128, 128)
ToInput = Callable[[Rasters, int], NDArray[np.float32]]  # and the side -> (n, 1, side, side), 0..1

_INPUT, _OUTPUT = "ink", "probabilities"
_PIECE = 32  # drawings, so that a batch of 256 takes no gigabyte in a large network


class OnnxClassifier:
    """core.models.classification.Classifier by onnxruntime. Safe to call from several threads at once."""

    def __init__(self, folder: Path, card: ModelCard, to_input: ToInput, threads: int | None = None) -> None:
        """to_input: rasters as a network of that side takes them. threads: that compute one drawing together, default
        one a core. Raises DataLoss if the file is not the card's, or is not such a network, or the card was changed.
        """
        require_intact(folder, card, [ONNX])
        self._card = card
        self._to_input = to_input
        self._session = _session(folder / ONNX, card, threads or os.cpu_count() or 1)

    @property
    def labels(self) -> tuple[str, ...]:
        return self._card.labels

    def probabilities(self, rasters: Rasters) -> NDArray[np.float64]:
        """(n, 128, 128) uint8 -> (n, classes), n >= 1, each row summing to 1. Raises DataLoss."""
        pieces = [rasters[start : start + _PIECE] for start in range(0, len(rasters), _PIECE)]
        raw = np.concatenate([self._run(piece) for piece in pieces]).astype(np.float64)
        totals = raw.sum(axis=1, keepdims=True)
        if raw.shape[1] != len(self.labels) or not (np.isfinite(totals).all() and (raw >= 0).all() and totals.all()):
            raise damaged_model(self._card.name, f"what {ONNX} gives are no probabilities of its labels")
        return np.asarray(raw / totals)

    def _run(self, rasters: Rasters) -> NDArray[np.float32]:
        ink = self._to_input(rasters, self._card.preprocessing.side)
        return np.asarray(self._session.run([_OUTPUT], {_INPUT: ink})[0])


def _session(path: Path, card: ModelCard, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the other calls need the cores
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many kinds, all from its C++ part
        raise damaged_model(card.name, f"onnxruntime cannot load {ONNX}") from error
    side = card.preprocessing.side
    if not (
        _fits(session.get_inputs(), _INPUT, [1, side, side])
        and _fits(session.get_outputs(), _OUTPUT, [len(card.labels)])
    ):
        raise damaged_model(
            card.name, f"{ONNX} does not take ink of {side} px, or does not give {len(card.labels)} labels"
        )
    _require_same_card(session, card)
    return session


def _require_same_card(session: onnxruntime.InferenceSession, card: ModelCard) -> None:
    """The card has hashes of all files but none of its own; so it is compared with the one inside the graph, if that
    has one. Raises DataLoss.
    """
    try:
        inside = session.get_modelmeta().custom_metadata_map.get(METADATA)
        same = inside is None or _as_exported(ModelCard.from_json(inside)) == _as_exported(card)
    except (Precondition, UnicodeDecodeError):
        same = False
    if not same:
        raise damaged_model(card.name, f"{CARD} was changed: it is not the one that {ONNX} was made with")


def _as_exported(card: ModelCard) -> ModelCard:
    """Without what is known only after the export."""
    metrics = {name: value for name, value in card.metrics.items() if name != "milliseconds"}
    return replace(card, sha256={}, metrics=metrics)


def _fits(nodes: Sequence[onnxruntime.NodeArg], name: str, shape: Sequence[int]) -> bool:
    """Whether there is exactly this input or output, of this shape behind the first axis; what the file leaves open
    fits.
    """
    if [node.name for node in nodes] != [name] or len(nodes[0].shape) != 1 + len(shape):
        return False
    return all(
        not isinstance(said, int) or said == meant for said, meant in zip(nodes[0].shape[1:], shape, strict=True)
    )
