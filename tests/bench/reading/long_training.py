"""Trains a recognizer of lines that ships, for as long as it is told: on lines that are made as they are needed.

The learning rate rises, and falls along a cosine until the time is over; a mean of the weights moves along. A run that
was interrupted goes on where it last wrote its state.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.jobs.job import Epoch
from haleganada_server.core.lines.alphabet import Alphabet
from haleganada_server.core.lines.decoding import decode_greedily
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.core.models.card import LineInput
from haleganada_server.core.models.files import read_card
from haleganada_server.training.common.augment import mix_seed
from haleganada_server.training.common.checkpoint import Progress, State, load_state, save_state
from haleganada_server.training.common.precision import Precision
from haleganada_server.training.export.model_files import write_card
from haleganada_server.training.fit.finished import FILES, MODEL
from haleganada_server.training.fit.reports.reporter import TrainingReporter
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.fit.state import TrainingState, build_optimizer, copy_tensors
from haleganada_server.training.lines.batches import stack_lines
from haleganada_server.training.lines.data import LineData
from haleganada_server.training.lines.loop import LineReader, compute_loss
from haleganada_server.training.lines.results import FinishedLines, write_results
from haleganada_server.training.presets import get_preset
from haleganada_server.vision.line_pictures import encode_line, make_line_input
from torch import Tensor, nn

from tests.bench.reading.gradient_worker import GradientWorker
from tests.bench.reading.sets import Line

PRESET = "ppocr-v6-small"
OTHER_LINES = 1 << 40
"""From here on, lines are numbered that are not trained on."""

_FROZEN_BLOCKS = 4  # behind the stem; like it, they stay as they are, which saves a fifth of the time
_POOL = 8  # batches that are drawn together, so that lines of similar width make a batch
_WARMUP, _LARGEST_GRADIENT = 0.03, 2.0
_AVERAGING = 0.995
_SAVED_EVERY_S = 240.0


class Source(Protocol):
    """Where lines come from."""

    def draw(self, number: int) -> Line:
        """Return a line; equal numbers give equal lines."""

    def list_texts(self) -> list[str]:
        """Return texts as they are drawn, of which the order of symbols is learned."""


@dataclass(kw_only=True)
class Run:
    """A training and how far it has come. validation: lines by what they are. checked_every_s: seconds between two
    measurements. has_worker: use a second core. A step is a batch of either.
    """

    name: str
    network: nn.Module
    source: Source
    alphabet: Alphabet
    options: dict[str, Any]
    shape: LineInput
    validation: Mapping[str, Sequence[Line]]
    settings: TrainingSettings
    minutes: float
    folder: Path
    checked_every_s: float = 1500.0
    has_worker: bool = False
    progress: Progress = field(default_factory=Progress)
    history: list[Epoch] = field(default_factory=list)
    precision: Precision = field(default_factory=lambda: Precision(torch.bfloat16))

    def __post_init__(self) -> None:
        self.network = self.network.to(memory_format=torch.channels_last)
        self.average = deepcopy(self.network)
        self.optimizer = build_optimizer(self.network.parameters(), self.settings)
        for part in (self.network.get_submodule("stem"), *self.network.get_submodule("blocks")[:_FROZEN_BLOCKS]):
            part.requires_grad_(False)

    @property
    def _state(self) -> State:
        return State(self.network, self.average, nn.Identity(), [self.optimizer], self.progress)

    @property
    def _file(self) -> Path:
        return self.folder / "state.safetensors"

    def train(self) -> None:
        """Train until the time is over, from where an earlier process stopped."""
        if self._file.exists():
            load_state(self._state, self._file)
        start, saved, losses = time.monotonic() - self.progress.seconds, self.progress.seconds, list[float]()
        checked = self.progress.seconds // self.checked_every_s
        worker = GradientWorker(self.network, self._compute_on) if self.has_worker else None
        while (share := (time.monotonic() - start) / (60 * self.minutes)) < 1:
            for batch in self._draw_batches(self.progress.step * self.settings.batch_size):
                losses.append(self._take_step(batch, self.settings.learning_rate * _find_factor(share), worker))
                share = (time.monotonic() - start) / (60 * self.minutes)
            self.progress.seconds = time.monotonic() - start
            if self.progress.seconds - saved > _SAVED_EVERY_S:
                save_state(self._state, self._file)
                saved = self.progress.seconds
                self._tell(f"loss {np.mean(losses[-100:]):.3f}")
            if self.progress.seconds // self.checked_every_s > checked:
                checked = self.progress.seconds // self.checked_every_s
                self._check(float(np.mean(losses[-100:])))
        if worker is not None:
            worker.stop()
        save_state(self._state, self._file)
        self._check(float(np.mean(losses[-100:] or [0.0])))

    def _draw_batches(self, first: int) -> list[list[Line]]:
        """Return batches of lines from this number on."""
        size = self.settings.batch_size
        numbers = range(first, first + _POOL * size)
        drawn = [line for number in numbers if self.alphabet.covers((line := self.source.draw(number)).text)]
        drawn.sort(key=lambda line: line.gray.shape[1] / line.gray.shape[0])
        batches = [drawn[start : start + size] for start in range(0, len(drawn), size)][:_POOL]
        order = np.random.default_rng(mix_seed(self.settings.seed, first)).permutation(len(batches))
        return [batches[place] for place in order]

    def _take_step(self, lines: list[Line], rate: float, worker: GradientWorker | None) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        loss = self._compute_gradients(self.network, lines)
        if np.isfinite(loss):
            self.progress.step += worker.add() if worker is not None else 0
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
            self.optimizer.step()
        self.progress.step += 1
        _move(self.average, self.network, min(_AVERAGING, (1 + self.progress.step) / (20 + self.progress.step)))
        return loss

    def _compute_gradients(self, network: nn.Module, lines: list[Line]) -> float:
        """Return the loss, and leave its gradients in the network, if it is a number."""
        network.zero_grad()
        batch = stack_lines([make_line_input(line.gray, self.shape) for line in lines])
        with self.precision.autocast():
            logits = network(batch)
        loss = compute_loss(logits, [self.alphabet.encode(line.text) for line in lines])
        if bool(loss.isfinite()):
            loss.backward()
        return float(loss.detach())

    def _compute_on(self, network: nn.Module) -> Iterator[None]:
        """Leave the gradients of lines that the main process does not see in a network, batch after batch."""
        first = OTHER_LINES // 2 + self.progress.step * self.settings.batch_size
        while True:
            for batch in self._draw_batches(first):
                if np.isfinite(self._compute_gradients(network, batch)):
                    yield
            first += _POOL * self.settings.batch_size

    def measure(self, network: nn.Module) -> list[float]:
        """Return the character error rates of all kinds of lines."""
        return [self._measure(network, lines) for lines in self.validation.values()]

    def _measure(self, network: nn.Module, lines: Sequence[Line]) -> float:
        reader = self.reader(network)
        found = [decode_greedily(reader.compute(line.gray)) for line in lines]
        texts = [self.alphabet.decode(symbol.number for symbol in own) for own in found]
        return measure_characters([ReadLine(line.text, text) for line, text in zip(lines, texts, strict=True)]).rate

    def reader(self, network: nn.Module) -> LineReader:
        """Return what reads with a network."""
        state = TrainingState(network, self.optimizer, self.precision)
        return LineReader(state, self.shape, self.alphabet, torch.device("cpu"))

    def _check(self, loss: float) -> None:
        """Measure the mean of the weights, and record it."""
        rates = self.measure(self.average)
        self._tell("CER " + ", ".join(f"{name} {rate:.2%}" for name, rate in zip(self.validation, rates, strict=True)))
        self.history.append(
            Epoch(
                epoch=len(self.history) + 1,
                train_loss=loss,
                train_accuracy=0.0,
                validation_loss=0.0,
                validation_accuracy=max(0.0, 1 - float(np.mean(rates))),
                learning_rate=self.optimizer.param_groups[0]["lr"],
                seconds=self.progress.seconds,
            )
        )

    def _tell(self, what: str) -> None:
        lines = self.progress.step * self.settings.batch_size
        print(f"{self.progress.seconds / 60:.1f} min, {lines:,} lines: {what}", flush=True)

    def finish(self) -> None:
        """Write the model: the better one of the network and the mean of its weights."""
        if not self.history:
            self._check(0.0)
        best = min((self.average, self.network), key=lambda network: sum(self.measure(network)))
        self._tell("the mean of the weights is kept" if best is self.average else "the last weights are kept")
        (self.folder / FILES).mkdir(exist_ok=True)
        state = self.reader(best).state
        state.history, state.best, state.best_epoch = self.history, copy_tensors(best), len(self.history)
        data = self._collect_data()
        training = FinishedLines(
            preset=get_preset(PRESET),
            name=self.name,
            dataset_name=data.name,
            dataset_sha256=data.sha256,
            data=data,
            settings=self.settings,
            options=self.options,
            state=state,
            reader=LineReader(state, self.shape, self.alphabet, torch.device("cpu")),
        )
        write_results(training, self.folder, TrainingReporter(lambda _: None), skip_test=False)
        card = read_card(self.folder / MODEL)
        seen = {"lines": self.progress.step * self.settings.batch_size, "minutes": self.minutes}
        write_card(self.folder / MODEL, replace(card, training={**card.training, **seen}))

    def _collect_data(self) -> LineData:
        """Return the validation part, and texts as those that were trained on, of which the order is learned."""
        texts = self.source.list_texts()
        validation = [line for lines in self.validation.values() for line in lines]
        pictures = [encode_line(line.gray) for line in validation]
        sizes = [0] * len(texts) + [len(picture) for picture in pictures]
        parts = [Part.TRAIN.value] * len(texts) + [Part.VALIDATION.value] * len(pictures)
        return LineData(
            texts=(*texts, *(line.text for line in validation)),
            parts=np.array(parts, np.uint8),
            groups=np.full(len(sizes), -1, np.int32),
            name=" and ".join(self.validation),
            sha256=hashlib.sha256("\n".join(texts).encode()).hexdigest(),
            _pictures=np.frombuffer(b"".join(pictures), np.uint8),
            _ends=np.cumsum(sizes),
        )


def run_command(parser: argparse.ArgumentParser, start: Callable[[argparse.Namespace], Run]) -> None:
    """Read a command line, train, and write OUT/model. parser: of what this training alone is told. start: makes a run
    of what was given.
    """
    parser.add_argument("--minutes", type=float, default=66)
    parser.add_argument("--rate", type=float, default=4e-4, help="The highest learning rate.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    run = start(given)
    run.train()
    run.finish()


def _find_factor(share: float) -> float:
    """Return what the highest learning rate is multiplied by when this share of the time is over."""
    if share < _WARMUP:
        return max(0.02, share / _WARMUP)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (share - _WARMUP) / (1 - _WARMUP))))


def _move(average: nn.Module, network: nn.Module, kept: float) -> None:
    """Move the mean of the weights a little towards the present ones."""
    present: dict[str, Tensor] = network.state_dict()
    with torch.no_grad():
        for name, mean in average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(present[name], 1 - kept)
            else:
                mean.copy_(present[name])
