"""Networks trained on ImageNet, without their last layers: from an image to a feature map.

(n, 3, 224, 224), mean and deviation as torchvision's networks expect them -> (n, channels, 7, 7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, Precondition

from .efficientnet_lite0 import EfficientNetLite0


@dataclass(frozen=True, slots=True)
class Backbone:
    """channels: of its feature map. signature: name and shape of a tensor that only files of its weights have."""

    name: str
    channels: int
    build: Callable[[], nn.Module]
    signature: tuple[str, tuple[int, ...]]


class ResNetFeatures(nn.Module):
    """A torchvision ResNet up to its last feature map. Its tensors keep torchvision's names."""

    def __init__(self, resnet: nn.Module) -> None:
        super().__init__()
        for name, child in resnet.named_children():
            if name not in ("avgpool", "fc"):
                self.add_module(name, child)

    def forward(self, image: Tensor) -> Tensor:
        for child in self.children():
            image = child(image)
        return image


def _build_resnet(name: str) -> ResNetFeatures:
    from torchvision import models  # slower to import than torch, and not every network needs it

    return ResNetFeatures(models.get_model(name, weights=None))


BACKBONES = {
    found.name: found
    for found in (
        Backbone("resnet50", 2048, lambda: _build_resnet("resnet50"), ("layer1.0.conv3.weight", (256, 64, 1, 1))),
        Backbone("resnet18", 512, lambda: _build_resnet("resnet18"), ("layer1.0.conv1.weight", (64, 64, 3, 3))),
        Backbone("efficientnet-lite0", 1280, EfficientNetLite0, ("_conv_head.weight", (1280, 320, 1, 1))),
    )
}


def get_backbone(name: str) -> Backbone:
    """Return the backbone of that name. Raises InvalidInput, which lists all names."""
    if name not in BACKBONES:
        raise InvalidInput("backbone", f"“{name}” is not one of {', '.join(BACKBONES)}")
    return BACKBONES[name]


def identify_backbone(state: Mapping[str, Tensor]) -> str | None:
    """Return the name of the backbone whose weights these are; None for an unknown network."""
    for found in BACKBONES.values():
        name, shape = found.signature
        if name in state and tuple(state[name].shape) == shape:
            return found.name
    return None


def load_backbone_weights(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Load a backbone's weights, without those of its last layer.

    Raises Precondition if any other tensor is missing, unexpected, or of another shape.
    """
    kept = {key: value for key, value in state.items() if not key.startswith(("fc.", "_fc."))}
    try:
        network.load_state_dict(kept)
    except RuntimeError as error:
        found = identify_backbone(state)
        what = f"they are those of {found}" if found not in (None, name) else "tensors are missing or of another shape"
        raise Precondition(
            f"the backbone's weights are not those of {name}: {what}; use the file that torchvision publishes for it",
            Reason.BACKBONE_WEIGHTS_UNUSABLE,
        ) from error
