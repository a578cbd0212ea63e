"""The process that learns online with one workspace, and predicts: python -m haleganada_server.training.online, started
by the server.

The server sends what to start from, then every change of the workspace's live samples, and requests for predictions,
all as messages (pipe). This thread receives them and predicts with the newest published model, so that no prediction
waits for a step of learning; another thread learns (worker).

    in:  {"start", "config", "folder", "backbone_weights"}, then any of
         {"keep": k, "add": [[sample_id, label, revision], …]} + rasters: keep the first k samples, append these
         {"target": revision}: these are all samples of that revision; learn them
         {"predict": n, "count": c} + rasters
         {"stop": true}: end, after a checkpoint if one is worthwhile
    out: {"ready": true, "labels"}, then
         {"target", "learned", "left", "published", "labels", "rebuilding"} after each sample and each target
         {"reply": n, "revision", "labels"} + c rows of float64
         {"failed": {"reason", "message"}}: the process ends; another one can resume from its checkpoint

A raster is 64 x 64 bytes, 255 = ink. When standard input ends, the server is gone, and this process exits at once.
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
    from .initial_model import InitialModel
    from .learner import OnlineLearner
    from .worker import LearningWorker


def main() -> int:
    """Run until the server says stop, and return the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is the server's to handle
    pipe = Pipe.take_over()
    try:
        _serve(pipe, pipe.receive()[0])
    except Exception as error:
        _report_failure_and_exit(pipe, error)
    return 0


def _serve(pipe: Pipe, first: Mapping[str, Any]) -> None:
    """Learn and predict. The imports are in here because they fail, and must be reported, without the `train` extra."""
    import torch

    from .answers_file import AnswersFile
    from .checkpoints import Checkpoints
    from .feature_cache import FeatureCache
    from .learner import OnlineLearner
    from .worker import LearningWorker

    config, folder = OnlineConfig(**first["config"]), Path(first["folder"])
    initial = _load_initial_model(first, config.seed)
    if "OMP_NUM_THREADS" not in os.environ:  # otherwise the user has decided
        torch.set_num_threads(min(initial.network.threads, torch.get_num_threads()))
    with FeatureCache(folder, initial.network) as features:
        learner = OnlineLearner(initial, config, features, Checkpoints(folder), AnswersFile(folder))
        worker = LearningWorker(learner, pipe.send, lambda error: _report_failure_and_exit(pipe, error))
        worker.start()
        pipe.send({"ready": True, "labels": list(initial.labels)})
        _MessageHandler(pipe, learner, worker).run_until_stop()
        worker.stop()


def _load_initial_model(first: Mapping[str, Any], seed: int) -> InitialModel:
    from .initial_model import build_initial_model, load_initial_model

    start, weights = first["start"], first["backbone_weights"]
    if "model" in start:
        return load_initial_model(Path(start["model"]))
    return build_initial_model(start["preset"], seed, [Path(path) for path in weights])


class _MessageHandler:
    """Handles the server's messages."""

    def __init__(self, pipe: Pipe, learner: OnlineLearner, worker: LearningWorker) -> None:
        self._pipe, self._learner, self._worker = pipe, learner, worker
        self._samples: list[TaughtDrawing] = []  # received so far; learned once they are a target

    def run_until_stop(self) -> None:
        """Handle messages until the server says stop. Raises ValueError for an invalid one."""
        while "stop" not in (message := self._pipe.receive())[0]:
            self._handle(*message)

    def _handle(self, fields: Mapping[str, Any], payload: bytes) -> None:
        if "add" in fields:
            self._change_samples(int(fields["keep"]), fields["add"], payload)
        elif "target" in fields:
            self._worker.set_target(tuple(self._samples), int(fields["target"]))
        elif "predict" in fields:
            self._predict(int(fields["predict"]), _parse_rasters(payload, int(fields["count"])))
        else:
            raise ValueError(f"unknown message with the fields {', '.join(fields) or 'none'}")

    def _change_samples(self, keep: int, added: list[tuple[int, str, int]], payload: bytes) -> None:
        if not 0 <= keep <= len(self._samples):
            raise ValueError(f"{keep} of {len(self._samples)} samples cannot be kept")
        drawn = zip(added, _parse_rasters(payload, len(added)), strict=True)
        self._samples[keep:] = [
            TaughtDrawing(sample_id, label, raster, revision) for (sample_id, label, revision), raster in drawn
        ]

    def _predict(self, request_id: int, rasters: NDArray[np.uint8]) -> None:
        published = self._learner.published
        probabilities = published.probabilities(rasters)
        fields = {"reply": request_id, "revision": published.revision, "labels": list(published.labels)}
        self._pipe.send(fields, probabilities.tobytes())


def _parse_rasters(payload: bytes, count: int) -> NDArray[np.uint8]:
    """Return (count, 64, 64). Raises ValueError if the payload has another length."""
    return np.frombuffer(payload, np.uint8).reshape(count, DATASET_SIDE, DATASET_SIDE)


def _report_failure_and_exit(pipe: Pipe, error: Exception) -> NoReturn:
    """Send the server the reason, log the details, and exit, whatever the other thread does."""
    traceback.print_exception(error)
    failure = describe_failure(error, work="the network's process", again="and learning goes on by itself")
    pipe.send({"failed": failure})
    os._exit(0)
