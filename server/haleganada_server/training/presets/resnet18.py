"""ResNet-18 (He et al. 2015) as torchvision has it, from scratch for ink or from ImageNet weights.

From scratch the first layer is made for small ink: 3 x 3 with stride 2 instead of 7 x 7 with pooling, which would
leave 2 x 2 of 64 px.

    ink 1x64x64 -> 64x32x32 -> 64x32x32 -> 128x16x16 -> 256x8x8 -> 512x4x4 -> mean -> classes

From ImageNet weights everything but the last layer is as it was trained, and the input is larger.

    ink 1x128x128 -> 3x128x128 -> 64x32x32 -> 64x32x32 -> 128x16x16 -> 256x8x8 -> 512x4x4 -> mean -> classes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from haleganada_server.core.models.card import Preprocessing
from haleganada_server.core.models.presets import PRESET_FACTS

from .backbones import load_checked
from .normalization import Normalize

if TYPE_CHECKING:  # importing it takes longer than torch does, and most networks need none of it
    from torchvision.models import ResNet


class ResNet18(nn.Module):
    """(n, 1, side, side) -> logits (n, classes). trunk: a ResNet-18 that ends with 512 features."""

    def __init__(self, preprocessing: Preprocessing, trunk: ResNet, classes: int) -> None:
        super().__init__()
        self.normalize = Normalize(preprocessing)
        self.trunk = trunk
        self.decoder = nn.Linear(512, classes)

    def forward(self, ink: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.trunk(self.normalize(ink)))
        return logits


def build(classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None) -> ResNet18:  # noqa: ARG001
    """From scratch; it has no options and no backbone."""
    preprocessing, trunk = PRESET_FACTS["resnet18"].preprocessing, _trunk()
    trunk.conv1 = nn.Conv2d(preprocessing.channels, 64, 3, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(trunk.conv1.weight, mode="fan_out", nonlinearity="relu")
    trunk.maxpool = nn.Identity()
    return ResNet18(preprocessing, trunk, classes)


def build_pretrained(
    classes: int,
    options: Mapping[str, Any],  # noqa: ARG001
    backbone: Mapping[str, Tensor] | None,
) -> ResNet18:
    """From the weights of torchvision's ResNet-18; it has no options. Raises Precondition if they do not fit."""
    trunk = _trunk()
    if backbone is not None:
        load_checked(trunk, backbone, "resnet18")
    return ResNet18(PRESET_FACTS["resnet18-imagenet"].preprocessing, trunk, classes)


def _trunk() -> ResNet:
    from torchvision.models import resnet18

    trunk = resnet18(weights=None)
    trunk.fc = nn.Identity()
    return trunk
