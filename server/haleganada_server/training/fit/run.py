"""A training job from its request to a finished model folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import Precondition
from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.job_errors import FailedWithModel
from haleganada_server.training.common.precision import Precision
from haleganada_server.training.common.training_data import TrainingData, read_dataset, require_trainable
from haleganada_server.training.presets import Preset, preset
from haleganada_server.training.presets.backbone_weights import start_from

from .checkpoint import load_checkpoint, save_checkpoint
from .finish import Trained, write_results
from .history import History, TensorBoard, tensorboard_there
from .loop import Diverged, FitHooks, FitLoop
from .processes import Processes
from .report import FitReport
from .settings import FitSettings
from .state import FitState, build_optimiser

FILES = "files"


@dataclass(frozen=True)
class FitJob:
    """What one training job is to do. options: of the preset's network."""

    folder: Path
    preset: Preset
    name: str
    settings: FitSettings
    data: TrainingData
    backbone_weights: Path | None

    @staticmethod
    def of(request: Mapping[str, Any]) -> FitJob:
        """From the request's JSON. Raises InvalidInput and Precondition."""
        chosen = preset(request["preset"])
        weights, data = request.get("backbone_weights"), read_dataset(request["dataset"])
        return FitJob(
            Path(request["folder"]),
            chosen,
            str(request["name"]),
            FitSettings.of(asdict(chosen.defaults), request.get("settings", {}), len(data.part(Part.TRAIN))),
            data,
            Path(weights) if weights else None,
        )

    def fingerprint(self, processes: Processes) -> str:
        """Of all that decides the course of the training; a checkpoint of another course is no use."""
        course = [self.preset.name, asdict(self.settings), self.data.sha256, len(self.data.labels), processes.count]
        return hashlib.sha256(json.dumps(course).encode()).hexdigest()


def run_training(
    request: Mapping[str, Any], report: Callable[[dict[str, Any]], None], cancelled: Callable[[], bool],
    processes: Processes,
) -> dict[str, Any]:  # fmt: skip
    """Train, from the checkpoint if there is one; write model/ and files/; {"model", "cancelled", "result"}.

    Raises HaleganadaError for what a person can mend, FailedWithModel if there is a model all the same, and what
    libraries raise when memory or disk are full.
    """
    job = FitJob.of(request)
    require_trainable(job.data, least=2 * processes.count)
    files = job.folder / FILES
    files.mkdir(exist_ok=True)
    told = FitReport(report)
    precision = Precision.choose(job.settings.mixed_precision, processes.device)
    told.settings({**asdict(job.settings), "mixed_precision": precision.dtype is not None})
    told.stage("preparing")
    state, options = _new_state(job, processes, precision)
    resumed = load_checkpoint(state, job.folder, job.fingerprint(processes))
    told.stage("training")
    if "backbone" in options:
        told.note(f"its backbone is {options['backbone']}, for that is what the file of backbone weights holds")
    if resumed:
        told.note(f"went on after epoch {state.epoch}")
    broken: Diverged | None = None
    try:
        ended = _fit(job, state, processes, told, cancelled)
    except Diverged as error:
        ended, broken = True, error
    if processes.first and state.best_epoch:
        trained = Trained(job.preset, job.name, job.data, job.settings, options, state)
        write_results(
            trained, job.folder, InkInput(job.preset.preprocessing.side, processes.device), told, hasty=not ended
        )
    if broken is not None and processes.first:  # the others may not end as failures while it writes
        raise _kept(broken, state.best_epoch)
    return {"model": bool(state.best_epoch), "cancelled": not ended, "result": {}}


def _kept(broken: Diverged, best_epoch: int) -> Precondition:
    if not best_epoch:
        return broken
    return FailedWithModel(f"{broken.message}; what it had reached in epoch {best_epoch} is kept", broken.reason)


def _new_state(job: FitJob, processes: Processes, precision: Precision) -> tuple[FitState, dict[str, Any]]:
    """The state before the first epoch, and the options that its network was built with."""
    options, backbone = start_from(job.preset, job.backbone_weights)
    torch.manual_seed(job.settings.seed)
    network = job.preset.build(len(job.data.labels), options, backbone)
    network = network.to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return FitState(network, build_optimiser(network.parameters(), job.settings), precision), options


def _fit(
    job: FitJob, state: FitState, processes: Processes, told: FitReport, cancelled: Callable[[], bool]
) -> bool:  # fmt: skip
    """Run all epochs that are left; False if they were cancelled."""
    ink = InkInput(job.preset.preprocessing.side, processes.device)
    head = job.preset.head_parameters(state.network)
    loop = FitLoop(state, job.data, job.settings, ink, processes, head, FitHooks(told.stepped, cancelled))
    keeper = _Keeper(job, state, processes, told)
    validated = bool(len(loop.validation))
    if not validated:
        told.note("the data set has no validation part: the last state is kept, not the best one")
    with keeper:
        for epoch_before in state.history:  # of the checkpoint: whoever listened may have gone before hearing of all
            told.epoch(epoch_before)
        told.begin(state.epoch * loop.order.steps, job.settings.epochs * loop.order.steps)
        while not state.over(job.settings):
            epoch = loop.run_epoch()
            if epoch is None:
                return False
            state.add(epoch, validated)
            keeper.keep(epoch)
    return True


class _Keeper(contextlib.ExitStack):
    """Tells and writes what is to be kept after each epoch; only in the first process."""

    def __init__(self, job: FitJob, state: FitState, processes: Processes, told: FitReport) -> None:
        super().__init__()
        self.job, self.state, self.told, self.first = job, state, told, processes.first
        self.fingerprint = job.fingerprint(processes)
        self.history = History(job.folder / FILES)
        self.board: TensorBoard | None = None
        if job.settings.tensorboard and processes.first:
            self._open_board()

    def keep(self, epoch: Epoch) -> None:
        """After an epoch was added to the state."""
        if not self.first:
            return
        last = self.state.over(self.job.settings)
        if last or epoch.epoch % self.job.settings.checkpoint_every == 0:
            save_checkpoint(self.state, self.job.folder, self.fingerprint)
        self.history.write(self.state.history, self.state.best_epoch, last)
        if self.board:
            self.board.write(epoch)
        self.told.epoch(epoch)

    def _open_board(self) -> None:
        if tensorboard_there():
            self.board = self.enter_context(TensorBoard(self.job.folder / FILES, self.state.epoch + 1))
        else:
            self.told.note("no TensorBoard files: the server lacks it; pip install 'haleganada[tensorboard]'")
