"""A model trained on a data set, run on the CPU by onnxruntime.

Everything from mean and standard deviation to temperature and softmax is part of its graph. Only resizing the raster is
not, so a function for that is passed in.
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
ToInput = Callable[[Rasters, int], NDArray[np.float32]]  # rasters, side -> (n, 1, side, side), 0..1

_INPUT, _OUTPUT = "ink", "probabilities"
_MICRO_BATCH = 32  # drawings; a batch of 256 would take a gigabyte in a large network


class OnnxClassifier:
    """core.models.classification.Classifier by onnxruntime. Safe to call from several threads at once."""

    def __init__(self, folder: Path, card: ModelCard, to_input: ToInput, threads: int | None = None) -> None:
        """to_input: resizes rasters for a network. threads: compute each drawing together; default: one for each core.
        Raises DataLoss if the file does not match the card, is not such a network, or the card was changed.
        """
        require_intact(folder, card, [ONNX])
        self._card = card
        self._to_input = to_input
        self._session = _load_session(folder / ONNX, card, threads or os.cpu_count() or 1)

    @property
    def labels(self) -> tuple[str, ...]:
        return self._card.labels

    def probabilities(self, rasters: Rasters) -> NDArray[np.float64]:
        """Return (n, classes), each row summing to 1, for (n, 128, 128) uint8 rasters, n >= 1. Raises DataLoss."""
        batches = [rasters[start : start + _MICRO_BATCH] for start in range(0, len(rasters), _MICRO_BATCH)]
        raw = np.concatenate([self._run(batch) for batch in batches]).astype(np.float64)
        totals = raw.sum(axis=1, keepdims=True)
        if raw.shape[1] != len(self.labels) or not (np.isfinite(totals).all() and (raw >= 0).all() and totals.all()):
            raise damaged_model(self._card.name, f"the outputs of {ONNX} are not probabilities of its labels")
        return np.asarray(raw / totals)

    def _run(self, rasters: Rasters) -> NDArray[np.float32]:
        ink = self._to_input(rasters, self._card.preprocessing.side)
        return np.asarray(self._session.run([_OUTPUT], {_INPUT: ink})[0])


def _load_session(path: Path, card: ModelCard, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # other calls need the cores
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many types, all defined in C++
        raise damaged_model(card.name, f"onnxruntime cannot load {ONNX}") from error
    side = card.preprocessing.side
    if not (
        _matches(session.get_inputs(), _INPUT, [1, side, side])
        and _matches(session.get_outputs(), _OUTPUT, [len(card.labels)])
    ):
        raise damaged_model(
            card.name, f"{ONNX} does not take ink of {side} px, or does not give {len(card.labels)} labels"
        )
    _require_same_card(session, card)
    return session


def _require_same_card(session: onnxruntime.InferenceSession, card: ModelCard) -> None:
    """Raise DataLoss if the card differs from the one inside the graph, if there is one: the card has hashes of all
    other files, but none of itself.
    """
    try:
        embedded = session.get_modelmeta().custom_metadata_map.get(METADATA)
        same = embedded is None or _drop_later_fields(ModelCard.from_json(embedded)) == _drop_later_fields(card)
    except (Precondition, UnicodeDecodeError):
        same = False
    if not same:
        raise damaged_model(card.name, f"{CARD} was changed: it is not the one that {ONNX} was exported with")


def _drop_later_fields(card: ModelCard) -> ModelCard:
    """Return the card without what is known only after the export."""
    metrics = {name: value for name, value in card.metrics.items() if name != "milliseconds"}
    return replace(card, sha256={}, metrics=metrics)


def _matches(nodes: Sequence[onnxruntime.NodeArg], name: str, shape: Sequence[int]) -> bool:
    """Return whether there is exactly this input or output, and its shape after the first axis matches; dynamic axes
    match anything.
    """
    if [node.name for node in nodes] != [name] or len(nodes[0].shape) != 1 + len(shape):
        return False
    pairs = zip(nodes[0].shape[1:], shape, strict=True)
    return all(not isinstance(actual, int) or actual == expected for actual, expected in pairs)
