"""The networks that can be trained on data sets, by name.

Every network takes `ink` (n, 1, side, side) float32 in 0..1, 1 = ink, as vision.encode.model_input makes it, and gives
logits (n, classes). Channels, polarity, mean and deviation are its own affair (normalization.Normalize).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from haleganada_server.core.models.card import Preprocessing
from haleganada_server.core.models.presets import PRESET_FACTS, PresetFacts, TrainingDefaults, preset_facts

from . import cnn36, resnet18, resnet50_transformer, tiny_cnn

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset whose network can be built.

    build: (classes, options, backbone's state or None) -> network. A pretrained preset without a state is built with
    random weights, for loading a finished model into it; `backbone.start_from` gives the state for a new one.
    """

    facts: PresetFacts
    build: Callable[[int, Mapping[str, Any], State | None], nn.Module]

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def description(self) -> str:
        return self.facts.description

    @property
    def preprocessing(self) -> Preprocessing:
        return self.facts.preprocessing

    @property
    def pretrained(self) -> bool:
        return self.facts.pretrained

    @property
    def defaults(self) -> TrainingDefaults:
        return self.facts.defaults

    def head_parameters(self, network: nn.Module) -> Iterator[nn.Parameter]:
        """What is trained in the first phase of a two-phase training: the last layer, which every network has."""
        yield from network.get_submodule("decoder").parameters()


_BUILDERS: Mapping[str, Callable[[int, Mapping[str, Any], State | None], nn.Module]] = {
    "cnn36": cnn36.build,
    "resnet18": resnet18.build,
    "resnet18-imagenet": resnet18.build_pretrained,
    "resnet50-transformer": resnet50_transformer.build,
    "tiny-cnn": tiny_cnn.build,
}
PRESETS = {name: Preset(facts, _BUILDERS[name]) for name, facts in PRESET_FACTS.items()}


def preset(name: str) -> Preset:
    """The preset of that name. Raises InvalidInput with all names."""
    return PRESETS[preset_facts(name).name]


def parameter_count(network: nn.Module) -> int:
    """Weights and biases, frozen ones included."""
    return sum(parameter.numel() for parameter in network.parameters())
