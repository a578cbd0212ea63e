"""What changes while learning: a network, its optimiser, its vocabulary, and the drawings to replay."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.taught_drawing import Raster, TaughtDrawing

from .features import FeatureFile
from .growth import grow
from .networks import Learnable, trained_parameters, trained_state
from .replay import Pool
from .start import Start, seeded

FORMAT = 1
"""Of what is kept: a state of another format is never gone on from, but learned again from the log."""
TRAINED_SHARE = 0.1
"""Of the learning rate, for the layers below the last one of a network that knows labels already: what they see suits
many drawings, which a few new ones are no reason to give up (discriminative fine-tuning: Howard and Ruder 2018).
"""


class LearnerState:
    """The state after some samples, from a start. Not safe from several threads.

    Features are computed when they are first needed: those of a thousand drawings in memory may take minutes.
    Whatever is random while the n-th sample is learned follows from (seed, n), so the state of the random numbers is n.
    """

    def __init__(self, start: Start, config: OnlineConfig, features: FeatureFile) -> None:
        """That has learned nothing."""
        self._config, self._features = config, features
        self.learnable = start.learnable.copy()
        self.optimiser = _optimiser(self.learnable, config, TRAINED_SHARE if start.labels else 1.0)
        self.learned = 0
        self._numbers = {label: number for number, label in enumerate(start.labels)}
        self._seen: list[Raster] = []
        self._pool = Pool()
        for sample in start.memory:
            self._remember(sample)

    @property
    def labels(self) -> tuple[str, ...]:
        """By row of the decoder, in the order in which they were first taught."""
        return tuple(self._numbers)

    def learn(self, sample: TaughtDrawing) -> tuple[float, ...]:
        """Take the optimiser's steps for a sample; the loss before each of them. Raises OSError if its features cannot
        be kept or read; what it has learned by then is of no use any more.
        """
        rng = np.random.default_rng([self._config.seed, self.learned])
        with seeded(self._config.seed, self.learned):
            target = self._number(sample.label)
            self.learnable.learning()
            losses = [self._step(sample.raster, target, rng) for _ in range(self._config.steps)]
        self._remember(sample)
        self.learned += 1
        return tuple(losses)

    def tensors(self) -> dict[str, Tensor]:
        """All that resume needs beside the samples themselves."""
        out = {f"network.{name}": value for name, value in trained_state(self.learnable).items()}
        for index, moments in self.optimiser.state_dict()["state"].items():
            out |= {f"optimiser.{index}.{name}": value.clone() for name, value in moments.items()}
        return out

    def resume(self, samples: Sequence[TaughtDrawing], tensors: dict[str, Tensor]) -> None:
        """Become the state that has learned these samples and had these tensors; for one that has learned nothing."""
        for sample in samples:
            self._number(sample.label)
            self._remember(sample)
        network = {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
        self.learnable.network.load_state_dict({**self.learnable.frozen(), **network})
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": _moments(tensors), "param_groups": groups})
        self.learned = len(samples)

    def _step(self, raster: Raster, target: int, rng: np.random.Generator) -> float:
        places, targets = self._pool.draw(self._config.replay, rng)
        rows = [self._features.row(drawing) for drawing in (raster, *(self._seen[place] for place in places))]
        logits = self.learnable.logits(self._features.read(rows))
        loss = functional.cross_entropy(logits, torch.tensor([target, *targets]))
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.item())

    def _number(self, label: str) -> int:
        """The class of a label; a new label becomes a new row. A fresh preset comes with the row of the first one."""
        number = self._numbers.setdefault(label, len(self._numbers))
        network = self.learnable.network
        if len(self._numbers) > network.get_submodule("decoder").out_features:
            grow(network, self.optimiser, len(self._numbers))
        return number

    def _remember(self, sample: TaughtDrawing) -> None:
        self._pool.add(len(self._seen), self._numbers[sample.label])
        self._seen.append(sample.raster)


def beginning(start: Start, config: OnlineConfig) -> str:
    """The name of the state that has learned nothing: of all that any later one depends on beside samples."""
    depends = f"{FORMAT} {start.sha256()} {TRAINED_SHARE} {sorted(asdict(config).items())}"
    return hashlib.sha256(depends.encode()).hexdigest()


def _optimiser(learnable: Learnable, config: OnlineConfig, share: float) -> torch.optim.AdamW:
    """share: of the learning rate, for all layers but the last one."""
    last = {id(parameter) for parameter in learnable.network.get_submodule("decoder").parameters()}
    below: list[nn.Parameter] = []
    above: list[nn.Parameter] = []
    for parameter in trained_parameters(learnable):
        (above if id(parameter) in last else below).append(parameter)
    groups = [{"params": below, "lr": share * config.learning_rate}, {"params": above}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)


def _moments(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """What the optimiser keeps, by the number of the parameter."""
    out: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "optimiser":
            index, _, moment = rest.partition(".")
            out.setdefault(int(index), {})[moment] = value
    return out
