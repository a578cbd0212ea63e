"""What can be trained, described without torch: the server lists the presets, training/presets builds the networks.

A preset is a complete recipe: architecture, input, and default settings.
"""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.errors import InvalidInput

from .card import LineInput, Preprocessing
from .online_config import OnlineConfig


@dataclass(frozen=True, slots=True)
class TrainingDefaults:
    """Default settings of a training; their meaning is that of TrainingSettings in the contract."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    frozen_epochs: int = 0
    """Epochs at the start that train only the last layers; 0 where nothing is pretrained."""


@dataclass(frozen=True, slots=True)
class PresetFacts:
    """One preset.

    parameters: weights and biases with 36 labels. step_ms: about how long one core trains on one drawing. backbones:
    those whose ImageNet weights it can start from, the best first; () if it starts from scratch. online: default
    settings of online learning; None if the preset does not support it. is_resizable: its input may have another side.
    line: the input of a preset that reads whole lines, and is trained on data sets of lines; None for single
    characters. starts_trained: its network has learned to read already.
    """

    name: str
    description: str
    preprocessing: Preprocessing
    parameters: int
    step_ms: float
    defaults: TrainingDefaults
    backbones: tuple[str, ...] = ()
    online: OnlineConfig | None = None
    is_resizable: bool = True
    line: LineInput | None = None
    starts_trained: bool = False

    @property
    def reads_lines(self) -> bool:
        """True if it reads whole lines, False if it recognizes single characters."""
        return self.line is not None

    @property
    def pretrained(self) -> bool:
        """True if it starts from ImageNet weights."""
        return bool(self.backbones)

    @property
    def supports_online_learning(self) -> bool:
        """True if a network of this preset can learn online with a workspace."""
        return self.online is not None


# Zero means paper, and it is also the padding of convolutions, so ink on 0 needs no further shift.
_INK_32 = Preprocessing(side=32)
_INK_64 = Preprocessing(side=64)
_LINE_32, _LINE_48 = Preprocessing(side=32), Preprocessing(side=48)
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_IMAGENET_128 = Preprocessing(128, 3, _IMAGENET_MEAN, _IMAGENET_STD, dark_ink=True)
_IMAGENET_224 = Preprocessing(224, 3, _IMAGENET_MEAN, _IMAGENET_STD, dark_ink=True)

_ALL = (
    PresetFacts(
        "cnn36",
        "Convolutional network for digits and letters: small, accurate, fast on a CPU.",
        _INK_32,
        parameters=336_492,
        step_ms=3.0,
        defaults=TrainingDefaults(epochs=15, batch_size=64, learning_rate=2e-3, weight_decay=0.01),
        online=OnlineConfig(),
    ),
    PresetFacts(
        "crnn",
        "For lines of any length: convolutions, two recurrent layers, and CTC with a shortcut while it is trained.",
        _LINE_48,
        parameters=2_379_050,
        step_ms=60.0,
        defaults=TrainingDefaults(epochs=40, batch_size=16, learning_rate=1e-3, weight_decay=0.01),
        is_resizable=False,
        line=LineInput(height=48),
    ),
    PresetFacts(
        "crnn-32x128",
        "For words and short lines, squeezed into 32 × 128 px: five convolutions, two recurrent layers, and CTC.",
        _LINE_32,
        parameters=1_363_493,
        step_ms=8.0,
        defaults=TrainingDefaults(epochs=40, batch_size=32, learning_rate=1e-3, weight_decay=0.01),
        is_resizable=False,
        line=LineInput(height=32, width=128),
    ),
    PresetFacts(
        "ppocr-v6-small",
        "For lines: PP-OCRv6 small, trained further. It begins with the weights in RapidOCR's package.",
        _LINE_48,
        parameters=3_007_477,
        step_ms=130.0,
        defaults=TrainingDefaults(epochs=20, batch_size=16, learning_rate=4e-4, weight_decay=0.02),
        is_resizable=False,
        line=LineInput(height=48),
        starts_trained=True,
    ),
    PresetFacts(
        "resnet18",
        "ResNet-18 from scratch on 64 px, for scripts with hundreds of letters.",
        _INK_64,
        parameters=11_186_148,
        step_ms=57.0,
        defaults=TrainingDefaults(epochs=50, batch_size=64, learning_rate=1e-3, weight_decay=0.01),
    ),
    PresetFacts(
        "resnet18-imagenet",
        "ResNet-18 that starts from ImageNet weights: its last layer first, then all of it.",
        _IMAGENET_128,
        parameters=11_194_980,
        step_ms=90.0,
        backbones=("resnet18",),
        defaults=TrainingDefaults(epochs=50, batch_size=64, learning_rate=3e-4, weight_decay=0.01, frozen_epochs=2),
    ),
    PresetFacts(
        "resnet50-transformer",
        "A frozen ResNet-50 with ImageNet weights, its 7 × 7 map fed to three transformer layers.",
        _IMAGENET_224,
        parameters=35_108_964,
        step_ms=250.0,
        backbones=("resnet50", "efficientnet-lite0", "resnet18"),
        defaults=TrainingDefaults(epochs=10, batch_size=32, learning_rate=1e-3, weight_decay=0.01),
        online=OnlineConfig(learning_rate=1e-4),  # at 1e-3 the attention layers forget earlier letters
        is_resizable=False,
    ),
    PresetFacts(
        "tiny-cnn",
        "Three convolutions and two dense layers: the smallest, to try things out.",
        _INK_32,
        parameters=359_588,
        step_ms=1.2,
        defaults=TrainingDefaults(epochs=15, batch_size=64, learning_rate=1e-3, weight_decay=0.01),
    ),
)
PRESET_FACTS = {facts.name: facts for facts in _ALL}

ONLINE_PRESETS = tuple(facts.name for facts in _ALL if facts.supports_online_learning)


def preset_facts(name: str) -> PresetFacts:
    """Return the preset of that name. Raises InvalidInput, listing all names."""
    facts = PRESET_FACTS.get(name)
    if facts is None:
        raise InvalidInput("preset", f"“{name}” is not one of {', '.join(PRESET_FACTS)}")
    return facts
