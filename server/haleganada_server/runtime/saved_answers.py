"""Runs the network that a learner's process has left, by onnxruntime."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from haleganada_server.core.baton import without_baton
from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.online.saved_answers import ANSWERS, AnswersCard

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
_MICRO_BATCH = 32
_log = logging.getLogger(__name__)


def load_saved_answers(
    folder: Path, to_input: Callable[[NDArray[np.uint8], int], NDArray[np.float32]]
) -> tuple[AnswersCard, Classify] | None:
    """Return the network in a learner's folder, (n, 64, 64) uint8 -> (n, labels), and its card; None if there is none,
    or it cannot be used: a process will make another one.
    """
    try:
        card = AnswersCard.from_json((folder / ANSWERS).read_bytes())
        path = folder / Path(card.network).name
        if file_sha256(path) != card.sha256:
            raise ValueError(f"{card.network} has changed since it was written")
        session = _open_session(path)
    except FileNotFoundError:
        return None
    except Exception as error:  # onnxruntime raises many types, all defined in C++
        _log.warning("%s cannot be used: %s", folder / ANSWERS, error)
        return None

    def classify(rasters: NDArray[np.uint8]) -> NDArray[np.float64]:
        batches = [rasters[i : i + _MICRO_BATCH] for i in range(0, len(rasters), _MICRO_BATCH)]
        with without_baton():
            rows = [session.run(["probabilities"], {"ink": to_input(batch, card.side)})[0] for batch in batches]
        return np.concatenate(rows).astype(np.float64)

    return card, classify


def _open_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # other calls need the cores
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
