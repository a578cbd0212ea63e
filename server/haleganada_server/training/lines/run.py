"""A training job on a data set of lines, from its request to a finished model folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.lines.alphabet import Alphabet, SymbolKind
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.models.card import LineInput, ModelCard
from haleganada_server.core.models.files import read_card
from haleganada_server.runtime.line_reader import open_decoder
from haleganada_server.training.common.precision import Precision
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.export.model_files import read_model
from haleganada_server.training.fit.checkpoint import load_checkpoint
from haleganada_server.training.fit.epoch_loop import Diverged, TrainingHooks
from haleganada_server.training.fit.finished import FILES
from haleganada_server.training.fit.reports.recorder import EpochRecorder
from haleganada_server.training.fit.reports.reporter import TrainingReporter
from haleganada_server.training.fit.run import NO_VALIDATION, choose_precision, describe_divergence, run_epochs
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.fit.state import TrainingState, build_optimizer, copy_tensors
from haleganada_server.training.presets import Preset, get_preset

from .averaging import WeightMean, average_with_start
from .batches import MOST_IN_EPOCH
from .data import LineData, read_lines, require_lines
from .loop import LineLoop, LineReader
from .network import build_network, freeze_lowest
from .results import FinishedLines, write_results
from .settings import resolve_settings

_HAND = "a hand"
"""Marks checkpoints of trainings that freeze the lowest layers and augment more."""

_LEAST_KNOWN = 0.9  # share of lines in letters that a model knows


@dataclass(frozen=True, kw_only=True)
class LineJob:
    """What one training job has to do. start: the card of the model in from_model. is_hand: that model learns few
    lines in letters that it knows.
    """

    folder: Path
    preset: Preset
    name: str
    settings: TrainingSettings
    data: LineData
    from_model: Path | None = None
    start: ModelCard | None = None
    is_hand: bool = False

    @staticmethod
    def from_request(request: Mapping[str, Any]) -> LineJob:
        """Parse the request's JSON and open its data set. Raises InvalidInput, Precondition and DataLoss."""
        preset, data = get_preset(request["preset"]), read_lines(request["dataset"])
        require_lines(data)
        from_model = Path(request["from_model"]) if request.get("from_model") else None
        start = read_card(from_model) if from_model else None
        texts, is_hand = [data.texts[line] for line in data.part(Part.TRAIN).tolist()], False
        if start and start.line:
            is_hand = _is_hand(texts, Alphabet(start.labels, SymbolKind(start.line.symbols)))
        return LineJob(
            folder=Path(request["folder"]),
            preset=preset,
            name=str(request["name"]),
            settings=resolve_settings(preset, request.get("settings", {}), len(texts), from_model is not None, is_hand),
            data=data,
            from_model=from_model,
            start=start,
            is_hand=is_hand,
        )

    @cached_property
    def alphabet(self) -> Alphabet:
        """The symbols of the training part, behind those of the model that the training starts from."""
        known = Alphabet(self.start.labels, SymbolKind(self.shape.symbols)) if self.start else None
        return Alphabet.of_texts([self.data.texts[line] for line in self.data.part(Part.TRAIN).tolist()], known)

    @cached_property
    def shape(self) -> LineInput:
        """How a line becomes the network's input."""
        if self.start and self.start.line:
            return self.start.line
        assert self.preset.facts.line is not None
        texts = [self.data.texts[line] for line in self.data.part(Part.TRAIN).tolist()]
        return replace(self.preset.facts.line, symbols=Alphabet.of_texts(texts).kind.value)

    def fingerprint(self) -> str:
        """Return a hash of all that decides how the training goes: a checkpoint fits only a training of the same."""
        settings = {name: value for name, value in asdict(self.settings).items() if name != "workers"}
        decisive: list[Any] = ["lines", self.preset.name, settings, self.data.sha256, list(self.alphabet.symbols)]
        decisive.append(self.from_model.name if self.from_model else "")
        decisive += [_HAND] if self.is_hand else []
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


def _is_hand(texts: Sequence[str], known: Alphabet) -> bool:
    covered = sum(known.covers(text) for text in texts)
    return len(texts) <= MOST_IN_EPOCH and covered >= _LEAST_KNOWN * len(texts)


def run_line_training(
    request: Mapping[str, Any], report: Callable[[dict[str, Any]], None], cancelled: Callable[[], bool],
    group: ProcessGroup,
) -> dict[str, Any]:  # fmt: skip
    """Train, from the checkpoint if there is one; write model/ and files/; return {"model", "cancelled", "result"}.

    Raises HaleganadaError for what a person can fix, FailedWithModel if there is a model all the same, and whatever
    libraries raise when memory or disk are full.
    """
    if group.count > 1:
        raise Precondition("lines are trained by one process; start it without torchrun", Reason.DATASET_UNUSABLE)
    job = LineJob.from_request(request)
    (job.folder / FILES).mkdir(exist_ok=True)
    reporter = TrainingReporter(report)
    precision = choose_precision(job.settings, group.device, reporter)
    reporter.start_stage("preparing")
    known = open_decoder(job.from_model, job.start) if job.from_model and job.start else LineDecoder()
    network, options = _build(job)
    start = copy_tensors(network)
    network = _place(network, group.device, precision)
    state = TrainingState(network, build_optimizer(network.parameters(), job.settings), precision)
    resumed = load_checkpoint(state, job.folder, job.fingerprint())
    reporter.start_stage("training")
    for note in _list_notes(job, state.epoch if resumed else 0):
        reporter.add_note(note)
    reader = LineReader(state, job.shape, job.alphabet, group.device)
    loop = _prepare_loop(job, reader, reporter, cancelled)
    divergence: Diverged | None = None
    try:
        completed = _train_epochs(job, loop, reporter)
    except Diverged as error:
        completed, divergence = True, error
    if state.best_epoch:
        mean = _average(job, loop, start) if completed else None
        training = FinishedLines(
            preset=job.preset,
            name=job.name,
            dataset_name=job.data.name,
            dataset_sha256=job.data.sha256,
            data=job.data,
            settings=job.settings,
            options=options,
            state=state,
            reader=reader,
            from_model=job.start.name if job.start else "",
            known=known,
            mean=mean,
        )
        write_results(training, job.folder, reporter, skip_test=not completed)
    if divergence is not None:
        raise describe_divergence(divergence, state.best_epoch)
    return {"model": bool(state.best_epoch), "cancelled": not completed, "result": {}}


def _build(job: LineJob) -> tuple[nn.Module, dict[str, Any]]:
    torch.manual_seed(job.settings.seed)
    if job.from_model is None or job.start is None:
        return build_network(job.preset, job.alphabet)
    known, _ = read_model(job.from_model)
    network, options = build_network(job.preset, job.alphabet, known, job.start)
    if job.is_hand:
        freeze_lowest(network)
    return network, options


def _place(network: nn.Module, device: torch.device, precision: Precision) -> nn.Module:
    """Move a network to a device; in 16 bits, convolutions are faster with channels last, by a quarter to a third."""
    memory_format = torch.channels_last if precision.dtype else torch.preserve_format
    return network.to(device, memory_format=memory_format)  # type: ignore[call-overload,no-any-return]


def _prepare_loop(
    job: LineJob, reader: LineReader, reporter: TrainingReporter, cancelled: Callable[[], bool]
) -> LineLoop:  # fmt: skip
    hooks = TrainingHooks(reporter.report_step, cancelled)
    loop = LineLoop(
        reader=reader,
        data=job.data,
        settings=job.settings,
        hooks=hooks,
        keeps_unseen=job.start is not None,
        is_hand=job.is_hand,
    )
    if not len(loop.validation):
        reporter.add_note(NO_VALIDATION)
    return loop


def _train_epochs(job: LineJob, loop: LineLoop, reporter: TrainingReporter) -> bool:
    """Train for all remaining epochs. Returns False if they were cancelled."""
    with EpochRecorder(job.folder, job.settings, loop.state, job.fingerprint(), reporter) as recorder:
        return run_epochs(loop, recorder, reporter)


def _average(job: LineJob, loop: LineLoop, start: Mapping[str, Tensor]) -> WeightMean | None:
    """Let a model that learned a hand remember others. The best state of other trainings is that of an epoch."""
    if not job.is_hand or job.start is None:
        return None
    return average_with_start(loop, start, len(job.start.labels))


def _list_notes(job: LineJob, epoch: int) -> list[str]:
    """Return what to know about a training. epoch: after which it was resumed, 0 = it was not."""
    notes = [f"resumed after epoch {epoch}"] if epoch else []
    if job.start:
        new = len(job.alphabet.symbols) - len(job.start.labels)
        notes.append(
            f"it starts from “{job.start.name}”, and learns {new:,} new symbols beside {len(job.start.labels):,}"
        )
    if job.shape.symbols == SymbolKind.UNITS.value:
        notes.append("Kannada is read in units: consonants with their vowel signs, and consonants below")
    return notes
