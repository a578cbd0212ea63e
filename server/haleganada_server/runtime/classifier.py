"""A model trained on a data set, run on the CPU by onnxruntime.

Everything from mean and standard deviation to temperature and softmax is part of its graph. Only resizing the raster is
not, so a function for that is passed in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from haleganada_server.core.baton import without_baton
from haleganada_server.core.errors import Precondition
from haleganada_server.core.machine_errors import machine_errors, no_memory, raise_machine_error
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import CARD, METADATA, ONNX, damaged_model, require_intact

Rasters = NDArray[np.uint8]  # (n, 128, 128)
ToInput = Callable[[Rasters, int], NDArray[np.float32]]  # rasters, side -> (n, 1, side, side), 0..1

_NO_MEMORY_WORDS = ("bad_alloc", "bad allocation", "Failed to allocate memory")
_INPUT, _OUTPUT, _UNKNOWN = "ink", "probabilities", "unknown"
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
        self._can_reject = len(self._session.get_outputs()) > 1

    @property
    def labels(self) -> tuple[str, ...]:
        return self._card.labels

    def classify(self, rasters: Rasters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See core.models.classification.Classifier."""
        batches = [rasters[start : start + _MICRO_BATCH] for start in range(0, len(rasters), _MICRO_BATCH)]
        found = [np.concatenate(parts).astype(np.float64) for parts in zip(*map(self._run, batches), strict=True)]
        raw, unknown = found if self._can_reject else (*found, np.zeros(len(rasters)))
        totals = raw.sum(axis=1, keepdims=True)
        if raw.shape[1] != len(self.labels) or not (np.isfinite(totals).all() and (raw >= 0).all() and totals.all()):
            raise damaged_model(self._card.name, f"the outputs of {ONNX} are not probabilities of its labels")
        if unknown.shape != (len(rasters),) or not ((unknown >= 0) & (unknown <= 1)).all():
            raise damaged_model(self._card.name, f"the output “{_UNKNOWN}” of {ONNX} is not a probability")
        return np.asarray(raw / totals), unknown

    def _run(self, rasters: Rasters) -> list[NDArray[np.float32]]:
        ink = self._to_input(rasters, self._card.preprocessing.side)
        with without_baton():
            return list(self._session.run([_OUTPUT, _UNKNOWN] if self._can_reject else [_OUTPUT], {_INPUT: ink}))


def _load_session(path: Path, card: ModelCard, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # other calls need the cores
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many types, all defined in C++
        _raise_if_machine_failed(error, path)
        raise damaged_model(card.name, f"onnxruntime cannot load {ONNX}") from error
    side = card.preprocessing.side
    if not (
        _matches(session.get_inputs(), {_INPUT: [1, side, side]})
        and _matches(session.get_outputs()[:1], {_OUTPUT: [len(card.labels)]})
        and (len(session.get_outputs()) == 1 or _matches(session.get_outputs()[1:], {_UNKNOWN: []}))
    ):
        raise damaged_model(
            card.name, f"{ONNX} does not take ink of {side} px, or does not give {len(card.labels)} labels"
        )
    _require_same_card(session, card)
    return session


def _raise_if_machine_failed(error: Exception, path: Path) -> None:
    """Raise Exhausted or Unavailable if a network was not loaded because of the machine. onnxruntime gives no number,
    so the file is opened again.
    """
    raise_machine_error(error)
    if any(words in str(error) for words in _NO_MEMORY_WORDS):
        raise no_memory() from error
    with machine_errors():
        path.open("rb").close()


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


def _matches(nodes: Sequence[onnxruntime.NodeArg], expected: Mapping[str, Sequence[int]]) -> bool:
    """Return whether there are exactly these inputs or outputs, and their shapes after the first axis match; dynamic
    axes match anything.
    """
    if [node.name for node in nodes] != list(expected):
        return False
    if any(len(node.shape) != 1 + len(shape) for node, shape in zip(nodes, expected.values(), strict=True)):
        return False
    return all(
        not isinstance(actual, int) or actual == wanted
        for node, shape in zip(nodes, expected.values(), strict=True)
        for actual, wanted in zip(node.shape[1:], shape, strict=True)
    )
