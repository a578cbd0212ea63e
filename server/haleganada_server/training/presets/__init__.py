"""The networks that can be trained on data sets, by name.

Those of single characters take `ink` (n, 1, side, side) float32 in 0..1, 1 = ink, as vision.model_input makes it, and
return logits (n, classes). Those of lines take `line` (n, 1, height, width) float32 in 0..1, 1 = paper, as
vision.line_pictures makes it, and return logits (n, steps, symbols + 1), those of no symbol first; forward_training
returns these, and others that are trained beside them. Each network handles channels, polarity, mean and deviation
itself (normalization.Normalize).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from haleganada_server.core.models.card import Preprocessing
from haleganada_server.core.models.presets import PRESET_FACTS, PresetFacts, TrainingDefaults, preset_facts

from . import cnn36, crnn, crnn_32x128, ppocr_v6, resnet18, resnet50_transformer, tiny_cnn

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset whose network can be built.

    build: (classes, options, backbone's state or None) -> network. Without a state, a pretrained preset has random
    weights, and a trained model can be loaded into it; backbone_weights.load_initial_weights returns the state for a
    new one.
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
        """Yield the parameters of the last layer, which the first phase of a two-phase training trains alone."""
        yield from network.get_submodule("decoder").parameters()


_BUILDERS: Mapping[str, Callable[[int, Mapping[str, Any], State | None], nn.Module]] = {
    "cnn36": cnn36.build,
    "crnn": crnn.build,
    "crnn-32x128": crnn_32x128.build,
    "ppocr-v6-small": ppocr_v6.build,
    "resnet18": resnet18.build,
    "resnet18-imagenet": resnet18.build_pretrained,
    "resnet50-transformer": resnet50_transformer.build,
    "tiny-cnn": tiny_cnn.build,
}
PRESETS = {name: Preset(facts, _BUILDERS[name]) for name, facts in PRESET_FACTS.items()}


def get_preset(name: str) -> Preset:
    """Return the preset of that name. Raises InvalidInput, which lists all names."""
    return PRESETS[preset_facts(name).name]


def measure_features(network: nn.Module, ink: Tensor) -> tuple[Tensor, Tensor]:
    """Return a network's logits (n, classes), and its features (n, width): what its last layer makes them from."""
    seen: list[Tensor] = []
    hook = network.get_submodule("decoder").register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        logits: Tensor = network(ink)
    finally:
        hook.remove()
    return logits, seen[0]


def count_parameters(network: nn.Module) -> int:
    """Count weights and biases, frozen ones included."""
    return sum(parameter.numel() for parameter in network.parameters())
