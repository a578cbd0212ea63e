"""The training loop for lines: epochs of steps by CTC, each followed by a measurement on the validation part.

An epoch's accuracies are one minus the character error rates, 0 at least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.alphabet import Alphabet
from haleganada_server.core.lines.decoding import Probabilities, decode_greedily
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.core.models.card import LineInput
from haleganada_server.training.common.augment import mix_seed
from haleganada_server.training.fit.epoch_loop import EpochLoop, TrainingHooks
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.fit.state import TrainingState
from haleganada_server.vision.line_pictures import GrayLine, make_line_input

from .augment import augment_hand, augment_line
from .batches import LineSampler, stack_lines
from .data import LineData
from .network import clear_gradients

MOST_VALIDATED = 400
"""Lines that choose the best epoch: more would take as long as the epoch itself."""

_SHORTCUT_WEIGHT = 0.1
_LARGEST_GRADIENT = 2.0
_LEAST = 1e-10  # probability
_ORDER = 3


@dataclass(frozen=True)
class LineReader:
    """Reads lines with the network in training: shape and alphabet are those of the model to be."""

    state: TrainingState
    shape: LineInput
    alphabet: Alphabet
    device: torch.device

    def make_input(self, gray: GrayLine) -> NDArray[np.float32]:
        """Return a line as the network sees it."""
        return make_line_input(gray, self.shape)

    @torch.no_grad()
    def compute(self, gray: GrayLine) -> Probabilities:
        """Return the probabilities of a line, (steps, symbols + 1), as in reading."""
        self.state.network.eval()
        batch = stack_lines([self.make_input(gray)]).to(self.device)
        with self.state.precision.autocast():
            logits = self.state.network(batch)[0].float()
        return np.asarray(logits.softmax(1).cpu().numpy(), np.float32)


class LineLoop(EpochLoop):
    """Trains a state on lines."""

    def __init__(
        self,
        *,
        reader: LineReader,
        data: LineData,
        settings: TrainingSettings,
        hooks: TrainingHooks,
        keeps_unseen: bool = False,
        is_hand: bool = False,
    ) -> None:
        """keeps_unseen: leave what the last layer knows of symbols that no line has, because a model knew them. Each
        step would make them less probable. is_hand: change the few lines more than usual.
        """
        super().__init__(reader.state, settings, hooks)
        self.reader, self.data = reader, data
        train = [line for line in data.part(Part.TRAIN).tolist() if reader.alphabet.covers(data.texts[line])]
        widths = np.array([len(data.texts[line]) for line in train], np.float64)  # about
        self.sampler = LineSampler(np.array(train, np.int64), widths, settings.batch_size, settings.seed)
        seen = {number for line in train for number in reader.alphabet.encode(data.texts[line])}
        self._unseen = [number for number in range(1, len(reader.alphabet.symbols) + 1) if number not in seen]
        self._unseen = self._unseen if keeps_unseen else []
        self._augment = augment_hand if is_hand else augment_line
        validation = data.part(Part.VALIDATION)
        rng = np.random.default_rng(mix_seed(settings.seed, _ORDER))
        self.validation = np.sort(rng.permutation(validation)[:MOST_VALIDATED])

    @property
    def steps_per_epoch(self) -> int:
        return self.sampler.steps_per_epoch

    def _prepare_epoch(self, epoch: int) -> None:
        torch.manual_seed(mix_seed(self.settings.seed, epoch))
        self.state.network.train()

    def _train_epoch(self, epoch: int) -> tuple[float, float] | None:
        """Return the mean loss of a line, and the accuracy of every tenth batch, as the network was at each step."""
        losses, count, read = 0.0, 0, list[ReadLine]()
        batches = self.sampler.sample_epoch(epoch)
        for number, lines in enumerate(batches):
            step = (epoch - 1) * self.steps_per_epoch + number
            logits, loss = self._take_step(lines, epoch, self._get_learning_rate(step))
            losses, count = losses + loss * len(lines), count + len(lines)
            if number % 10 == 0:
                read += self._compare(lines, logits)
            self.hooks.on_step(step + 1)
            if self.hooks.is_cancelled():
                return None
        return losses / count, max(0.0, 1 - measure_characters(read).rate)

    def _take_step(self, lines: NDArray[np.int64], epoch: int, rate: float) -> tuple[Tensor, float]:
        """Change the weights once. Returns the logits, and the mean loss of a line."""
        for group in self.state.optimizer.param_groups:
            group["lr"] = rate
        self.state.optimizer.zero_grad()
        batch = stack_lines([self._prepare(line, epoch) for line in lines.tolist()]).to(self.reader.device)
        targets = [self.reader.alphabet.encode(self.data.texts[line]) for line in lines.tolist()]
        network = self.state.network
        with self.state.precision.autocast():
            logits, *shortcuts = network.forward_training(batch)  # type: ignore[operator]
        loss = compute_loss(logits, targets)
        total = loss + _SHORTCUT_WEIGHT * sum((compute_loss(one, targets) for one in shortcuts), torch.zeros(()))
        if bool(total.isfinite()):
            self.state.precision.backward(total)
            if self._unseen:
                clear_gradients(network, self._unseen)
            torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
            self.state.precision.step(self.state.optimizer)
        return logits.detach(), float(loss.detach())

    def _prepare(self, line: int, epoch: int) -> NDArray[np.float32]:
        gray = self.data.picture(line)
        if self.settings.augment:
            gray = self._augment(gray, self.settings.seed, epoch, line)
        return self.reader.make_input(gray)

    def _compare(self, lines: NDArray[np.int64], logits: Tensor) -> list[ReadLine]:
        probabilities = logits.float().softmax(2).cpu().numpy()
        decoded = (decode_greedily(own) for own in probabilities)
        texts = [self.reader.alphabet.decode(symbol.number for symbol in own) for own in decoded]
        return [ReadLine(self.data.texts[line], text) for line, text in zip(lines.tolist(), texts, strict=True)]

    def validate(self) -> tuple[float, float]:
        """Return the mean loss of a line and the accuracy on the validation part; 0 and 0 if it is empty."""
        if not len(self.validation):
            return 0.0, 0.0
        read, losses = [], []
        for line in self.validation.tolist():
            right, alphabet = self.data.texts[line], self.reader.alphabet
            probabilities = self.reader.compute(self.data.picture(line))
            found = decode_greedily(probabilities)
            read.append(ReadLine(right, alphabet.decode(symbol.number for symbol in found)))
            if alphabet.covers(right):
                logs = torch.from_numpy(probabilities).clamp_min(_LEAST).log()
                losses.append(float(compute_loss(logs[None], [alphabet.encode(right)])))
        return float(np.mean(losses or [0.0])), max(0.0, 1 - measure_characters(read).rate)


def compute_loss(logits: Tensor, targets: Sequence[Sequence[int]]) -> Tensor:
    """Return the mean over lines of CTC's negative log-probability of their symbols, divided by the number of these.
    logits: (n, steps, symbols + 1). A line with more symbols than steps counts 0.
    """
    logs = logits.float().log_softmax(2).transpose(0, 1)
    lengths = torch.tensor([len(target) for target in targets])
    symbols = torch.tensor([number for target in targets for number in target], dtype=torch.long)
    steps = torch.full((len(targets),), logits.shape[1], dtype=torch.long)
    loss: Tensor = functional.ctc_loss(logs, symbols, steps, lengths, zero_infinity=True)
    return loss
