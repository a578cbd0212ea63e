"""A training job, from its request to a finished model folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import Precondition
from haleganada_server.core.models.card import Preprocessing
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.job_errors import FailedWithModel
from haleganada_server.training.common.precision import Precision
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.common.training_data import TrainingData, read_dataset, require_trainable
from haleganada_server.training.export.rejection import LEAST
from haleganada_server.training.presets import Preset, get_preset
from haleganada_server.training.presets.backbone_weights import load_initial_weights

from .checkpoint import load_checkpoint
from .epoch_loop import Diverged, EpochLoop, TrainingHooks
from .finished import FILES
from .loop import TrainingLoop
from .reports.recorder import EpochRecorder
from .reports.reporter import TrainingReporter
from .results import FinishedDrawings, write_results
from .settings import TrainingSettings
from .start_from_model import start_from_model
from .state import TrainingState, build_optimizer

NO_VALIDATION = "the data set has no validation part: the last state is kept, not the best one"


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What one training job has to do."""

    folder: Path
    preset: Preset
    name: str
    settings: TrainingSettings
    data: TrainingData
    backbone_weights: tuple[Path, ...]
    from_model: Path | None = None

    @property
    def preprocessing(self) -> Preprocessing:
        """How a drawing becomes the network's input."""
        return replace(self.preset.preprocessing, side=self.settings.image_size_px)

    @staticmethod
    def from_request(request: Mapping[str, Any]) -> TrainingJob:
        """Parse the request's JSON and open its data set. Raises InvalidInput and Precondition."""
        chosen = get_preset(request["preset"])
        data = read_dataset(request["dataset"])
        drawings, start = len(data.part(Part.TRAIN)), request.get("from_model")
        defaults = {**asdict(chosen.defaults), "image_size_px": chosen.preprocessing.side}
        return TrainingJob(
            folder=Path(request["folder"]),
            preset=chosen,
            name=str(request["name"]),
            settings=TrainingSettings.resolve(defaults, request.get("settings", {}), drawings),
            data=data,
            backbone_weights=tuple(map(Path, request.get("backbone_weights") or ())),
            from_model=Path(start) if start else None,
        )

    def fingerprint(self, group: ProcessGroup) -> str:
        """Return a hash of all that decides how the training goes: a checkpoint fits only a training of the same."""
        settings = {name: value for name, value in asdict(self.settings).items() if name != "workers"}
        decisive = [self.preset.name, settings, self.data.sha256, len(self.data.labels), group.count]
        decisive.append(self.from_model.name if self.from_model else "")
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


def run_training(
    request: Mapping[str, Any], report: Callable[[dict[str, Any]], None], cancelled: Callable[[], bool],
    group: ProcessGroup,
) -> dict[str, Any]:  # fmt: skip
    """Train, from the checkpoint if there is one; write model/ and files/; return {"model", "cancelled", "result"}.

    Raises HaleganadaError for what a person can fix, FailedWithModel if there is a model all the same, and whatever
    libraries raise when memory or disk are full.
    """
    job = TrainingJob.from_request(request)
    require_trainable(job.data, least=2 * group.count)
    (job.folder / FILES).mkdir(exist_ok=True)
    reporter = TrainingReporter(report)
    precision = choose_precision(job.settings, group.device, reporter)
    reporter.start_stage("preparing")
    state, options = _build_state(job, group, precision)
    resumed = load_checkpoint(state, job.folder, job.fingerprint(group))
    reporter.start_stage("training")
    if "backbone" in options:
        reporter.add_note(f"the backbone is {options['backbone']}, whose weights are on this server")
    if resumed:
        reporter.add_note(f"resumed after epoch {state.epoch}")
    divergence: Diverged | None = None
    try:
        completed = _train_epochs(job, state, group, reporter, cancelled)
    except Diverged as error:
        completed, divergence = True, error
    if group.is_first and state.best_epoch:
        training = FinishedDrawings(
            preset=job.preset,
            preprocessing=job.preprocessing,
            name=job.name,
            dataset_name=job.data.name,
            dataset_sha256=job.data.sha256,
            data=job.data,
            settings=job.settings,
            options=options,
            state=state,
        )
        ink = InkInput(job.preprocessing.side, group.device)
        write_results(training, job.folder, ink, reporter, skip_test=not completed)
    if divergence is not None and group.is_first:  # in another process an error would end this one while it writes
        raise describe_divergence(divergence, state.best_epoch)
    return {"model": bool(state.best_epoch), "cancelled": not completed, "result": {}}


def choose_precision(settings: TrainingSettings, device: torch.device, reporter: TrainingReporter) -> Precision:
    """Return the precision to train with. Sets the number of threads, and reports the settings with what was left to
    the machine.
    """
    precision = Precision.choose(settings.mixed_precision, device)
    if settings.workers:
        torch.set_num_threads(settings.workers)
    decided = {"mixed_precision": precision.dtype is not None, "workers": torch.get_num_threads()}
    reporter.send_settings({**asdict(settings), **decided})
    return precision


def run_epochs(loop: EpochLoop, recorder: EpochRecorder, reporter: TrainingReporter) -> bool:
    """Train for all remaining epochs, and record each. Returns False if they were cancelled."""
    state, settings, steps = loop.state, loop.settings, loop.steps_per_epoch
    for past_epoch in state.history:  # the server may have stopped before it received those of the checkpoint
        reporter.send_epoch(past_epoch)
    reporter.start_steps(state.epoch * steps, settings.epochs * steps)
    while not state.is_over(settings):
        epoch = loop.run_epoch()
        if epoch is None:
            return False
        state.add_epoch(epoch, bool(len(loop.validation)))
        recorder.record(epoch)
    return True


def describe_divergence(error: Diverged, best_epoch: int) -> Precondition:
    """Return the error to raise for a training that diverged. best_epoch: 0 = it has no model."""
    if not best_epoch:
        return error
    return FailedWithModel(f"{error.message}; the model of epoch {best_epoch} is kept", error.reason)


def _build_state(
    job: TrainingJob, group: ProcessGroup, precision: Precision
) -> tuple[TrainingState, dict[str, Any]]:  # fmt: skip
    """Return the state before the first epoch, and the options that its network was built with."""
    torch.manual_seed(job.settings.seed)
    if job.from_model is not None:
        network, options = start_from_model(job.from_model, job.data.labels)
    else:
        options, backbone = load_initial_weights(job.preset, job.backbone_weights)
        if job.preprocessing != job.preset.preprocessing:
            options = {**options, "side": job.preprocessing.side}
        network = job.preset.build(len(job.data.labels), options, backbone)
    network = network.to(group.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return TrainingState(network, build_optimizer(network.parameters(), job.settings), precision), options


def _train_epochs(
    job: TrainingJob, state: TrainingState, group: ProcessGroup, reporter: TrainingReporter,
    cancelled: Callable[[], bool],
) -> bool:  # fmt: skip
    """Train for all remaining epochs. Returns False if they were cancelled."""
    loop = TrainingLoop(
        state=state,
        data=job.data,
        settings=job.settings,
        ink=InkInput(job.preprocessing.side, group.device, job.settings.strengths),
        group=group,
        head=job.preset.head_parameters(state.network),
        hooks=TrainingHooks(reporter.report_step, cancelled),
    )
    if not len(loop.validation):
        reporter.add_note(NO_VALIDATION)
    elif unknown := len(job.data.unknown(Part.TRAIN, Part.VALIDATION)):
        reporter.add_note(_describe_unknown(unknown))
    fingerprint = job.fingerprint(group)
    with EpochRecorder(job.folder, job.settings, state, fingerprint, reporter, group.is_first) as recorder:
        return run_epochs(loop, recorder, reporter)


def _describe_unknown(count: int) -> str:
    drawings = f"{count:,} drawings of none of the labels"
    if count >= LEAST:
        return f"{drawings} decide with the validation part what the model calls unknown"
    return f"{drawings} are too few to learn from what to call unknown; {LEAST} are needed"
