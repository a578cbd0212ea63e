"""The process that learns along with one workspace, and answers: python -m haleganada_server.training.online, started
by the server.

The server tells it where to start, then of every change of the workspace's live samples, and asks; all as frames
(pipe). This thread hears and answers, from the newest published state, so that no answer waits for a step of learning;
another one learns (worker).

    in:  {"start", "config", "folder", "backbone_weights"}, then any of
         {"keep": k, "add": [[sample_id, label, revision], …]} + rasters: the first k samples stay, these follow
         {"aim": revision}: that was all; learn it
         {"ask": n, "count": c} + rasters
         {"leave": true}: end, with a checkpoint if one is worth it
    out: {"ready": true, "labels"}, then
         {"aim", "learned", "left", "published", "labels", "rebuilding"} after each sample and each aim
         {"answer": n, "revision", "labels"} + c rows of float64
         {"failed": {"reason", "message"}}: it ends; another one may go on from its checkpoint

A raster is 64 x 64 bytes, 255 = ink. When standard input ends the server is gone, and so is this process, at once.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import DATASET_SIDE
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.job_errors import describe_failure
from haleganada_server.training.common.taught_drawing import TaughtDrawing

from .pipe import Pipe

if TYPE_CHECKING:
    from .learner import OnlineLearner
    from .start import Start
    from .worker import Worker


def main() -> int:
    """Until the server says leave; the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is the server's to handle
    pipe = Pipe.taken()
    try:
        _follow(pipe, pipe.hear()[0])
    except Exception as error:
        _fail(pipe, error)
    return 0


def _follow(pipe: Pipe, first: Mapping[str, Any]) -> None:
    """The whole conversation. Importing is part of the work: it fails where the `train` extra is missing."""
    import torch

    from .checkpoints import Checkpoints
    from .features import FeatureFile
    from .learner import OnlineLearner
    from .worker import Worker

    config, folder = OnlineConfig(**first["config"]), Path(first["folder"])
    start = _start(first, config.seed)
    if "OMP_NUM_THREADS" not in os.environ:  # else somebody has decided
        torch.set_num_threads(min(start.learnable.threads, torch.get_num_threads()))
    with FeatureFile(folder, start.learnable) as features:
        learner = OnlineLearner(start, config, features, Checkpoints(folder))
        worker = Worker(learner, pipe.say, lambda error: _fail(pipe, error))
        worker.begin()
        pipe.say({"ready": True, "labels": list(start.labels)})
        _Hearing(pipe, learner, worker).until_told_to_leave()
        worker.leave()


def _start(first: Mapping[str, Any], seed: int) -> Start:
    from .start import start_model, start_preset

    chosen, weights = first["start"], first["backbone_weights"]
    if "model" in chosen:
        return start_model(Path(chosen["model"]))
    return start_preset(chosen["preset"], seed, Path(weights) if weights else None)


class _Hearing:
    """What the server says, taken in and answered. samples: the list that it is telling of."""

    def __init__(self, pipe: Pipe, learner: OnlineLearner, worker: Worker) -> None:
        self._pipe, self._learner, self._worker = pipe, learner, worker
        self._samples: list[TaughtDrawing] = []

    def until_told_to_leave(self) -> None:
        """Raises ValueError for what is none of the server's messages."""
        while "leave" not in (frame := self._pipe.hear())[0]:
            self._take(*frame)

    def _take(self, facts: Mapping[str, Any], payload: bytes) -> None:
        if "add" in facts:
            self._change(int(facts["keep"]), facts["add"], payload)
        elif "aim" in facts:
            self._worker.aim(tuple(self._samples), int(facts["aim"]))
        elif "ask" in facts:
            self._answer(int(facts["ask"]), _rasters(payload, int(facts["count"])))
        else:
            raise ValueError(f"a message of {', '.join(facts) or 'nothing'} means nothing here")

    def _change(self, keep: int, added: list[tuple[int, str, int]], payload: bytes) -> None:
        if not 0 <= keep <= len(self._samples):
            raise ValueError(f"{keep} of {len(self._samples)} samples cannot be kept")
        drawn = zip(added, _rasters(payload, len(added)), strict=True)
        self._samples[keep:] = [
            TaughtDrawing(number, label, raster, revision) for (number, label, revision), raster in drawn
        ]

    def _answer(self, number: int, rasters: NDArray[np.uint8]) -> None:
        published = self._learner.published
        rows = published.probabilities(rasters)
        facts = {"answer": number, "revision": published.revision, "labels": list(published.labels)}
        self._pipe.say(facts, rows.tobytes())


def _rasters(payload: bytes, count: int) -> NDArray[np.uint8]:
    """(count, 64, 64). Raises ValueError if the payload is not as long."""
    return np.frombuffer(payload, np.uint8).reshape(count, DATASET_SIDE, DATASET_SIDE)


def _fail(pipe: Pipe, error: Exception) -> NoReturn:
    """Tell the server why it ends, its log the details, and end, whatever the other thread does."""
    traceback.print_exception(error)
    failure = describe_failure(error, work="the network's process", again="and learning goes on by itself")
    pipe.say({"failed": failure})
    os._exit(0)
