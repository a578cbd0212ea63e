"""What changes during online learning: a network, its optimizer, its vocabulary, and the drawings to replay."""

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

from .decoder import expand_decoder
from .feature_cache import FeatureCache
from .initial_model import InitialModel, fix_seed
from .networks import OnlineNetwork, copy_trained_state, list_trained_parameters
from .replay import ReplayBuffer

FORMAT = 2
"""Version of the kept states: one of another version is not resumed, but learned again from the log."""
PRETRAINED_RATE = 0.1
"""Share of the learning rate for the layers below the last one of a network that already knows labels: what they detect
suits many drawings, and a few new ones are no reason to unlearn it (discriminative fine-tuning: Howard and Ruder 2018).
"""


class LearnerState:
    """The state after some samples, from an initial model. For one thread at a time.

    Features are computed when they are first needed: for a thousand exemplars that may take minutes. Whatever is random
    while the n-th sample is learned follows from (seed, n), so n is the whole state of the random numbers.
    """

    def __init__(self, initial: InitialModel, config: OnlineConfig, features: FeatureCache) -> None:
        """Has learned no sample."""
        self._config, self._features = config, features
        self.network = initial.network.copy()
        self.optimizer = _build_optimizer(self.network, config, PRETRAINED_RATE if initial.labels else 1.0)
        self.learned = 0
        self._classes = {label: number for number, label in enumerate(initial.labels)}
        self._seen: list[Raster] = []
        self._replay = ReplayBuffer()
        for sample in initial.exemplars:
            self._remember(sample)

    @property
    def labels(self) -> tuple[str, ...]:
        """By row of the decoder, in the order in which they were first taught."""
        return tuple(self._classes)

    def learn(self, sample: TaughtDrawing) -> tuple[float, ...]:
        """Take the optimizer's steps for a sample, and return the loss before each of them.

        Raises OSError if its features cannot be stored or loaded; this state is of no use any more then.
        """
        rng = np.random.default_rng([self._config.seed, self.learned])
        with fix_seed(self._config.seed, self.learned):
            target = self.ensure_class(sample.label)
            self.network.train()
            losses = [self._take_step(sample.raster, target, rng) for _ in range(self._config.steps)]
        self._remember(sample)
        self.learned += 1
        return tuple(losses)

    def ensure_class(self, label: str) -> int:
        """Return the class of a label; a new label gets a new row. A new preset has a row for the first one."""
        number = self._classes.setdefault(label, len(self._classes))
        module = self.network.module
        if len(self._classes) > module.get_submodule("decoder").out_features:
            expand_decoder(module, self.optimizer, len(self._classes))
        return number

    def collect_tensors(self) -> dict[str, Tensor]:
        """Return all that resume() needs beside the samples themselves."""
        out = {f"network.{name}": value for name, value in copy_trained_state(self.network).items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            out |= {f"optimizer.{index}.{name}": value.clone() for name, value in moments.items()}
        return out

    def resume(self, samples: Sequence[TaughtDrawing], tensors: dict[str, Tensor]) -> None:
        """Become the state that has learned these samples and had these tensors. Only for one that has learned none."""
        for sample in samples:
            self.ensure_class(sample.label)
            self._remember(sample)
        state = {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
        self.network.module.load_state_dict({**self.network.frozen_state(), **state})
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": _collect_moments(tensors), "param_groups": groups})
        self.learned = len(samples)

    def _take_step(self, raster: Raster, target: int, rng: np.random.Generator) -> float:
        replayed, targets = self._replay.sample(self._config.replay, rng)
        rows = [self._features.find_or_compute(drawing) for drawing in (raster, *(self._seen[i] for i in replayed))]
        logits = self.network.compute_logits(self._features.load(rows))
        loss = functional.cross_entropy(logits, torch.tensor([target, *targets]))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.item())

    def _remember(self, sample: TaughtDrawing) -> None:
        self._replay.add(len(self._seen), self._classes[sample.label])
        self._seen.append(sample.raster)


def name_initial_state(initial: InitialModel, config: OnlineConfig) -> str:
    """Return the name of the state without samples: a hash of all else that later states depend on."""
    depends = f"{FORMAT} {initial.sha256()} {PRETRAINED_RATE} {sorted(asdict(config).items())}"
    return hashlib.sha256(depends.encode()).hexdigest()


def _build_optimizer(network: OnlineNetwork, config: OnlineConfig, rate_share: float) -> torch.optim.AdamW:
    """rate_share: what the learning rate of all layers but the last one is multiplied by."""
    last = {id(parameter) for parameter in network.module.get_submodule("decoder").parameters()}
    below: list[nn.Parameter] = []
    decoder: list[nn.Parameter] = []
    for parameter in list_trained_parameters(network):
        (decoder if id(parameter) in last else below).append(parameter)
    groups = [{"params": below, "lr": rate_share * config.learning_rate}, {"params": decoder}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)


def _collect_moments(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Return the optimizer's state, by the number of the parameter."""
    out: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            index, _, moment = rest.partition(".")
            out.setdefault(int(index), {})[moment] = value
    return out
