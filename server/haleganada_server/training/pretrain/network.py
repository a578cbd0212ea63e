"""The embedder: a small residual CNN from ink rasters to points on the unit sphere.

Three residual blocks (He et al. 2016), each of which halves the side, and a linear layer on the flattened 4 x 4 map:
the position of a stroke matters for a character, so positions are kept instead of being averaged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.runtime.weights import SAFETENSORS, check_file


@dataclass(frozen=True)
class NetworkShape:
    """The sizes needed to build the network that the weights fit."""

    side: int = 64
    """Height and width of the ink raster in pixels."""
    width: int = 32
    """Channels after the stem; each block doubles them."""
    dim: int = 256
    """Length of the embedding."""

    def as_dict(self) -> dict[str, int]:
        """Return plain numbers, for checkpoints and model cards."""
        return asdict(self)


def convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Build a convolution without bias, followed by the batch normalization that supplies the bias."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class ResidualBlock(nn.Module):
    """(n, inputs, s, s) -> (n, outputs, s / 2, s / 2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.reduce = convolution(inputs, outputs, 3, 2)
        self.refine = convolution(outputs, outputs, 3, 1)
        self.pool = nn.AvgPool2d(2)
        self.skip = convolution(inputs, outputs, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the refined map plus a pooled shortcut, so that gradients reach the stem."""
        y = self.refine(functional.relu(self.reduce(x)))
        return functional.relu(y + self.skip(self.pool(x)))


class EmbedderNetwork(nn.Module):
    """(n, 1, side, side) ink in 0..1 -> (n, dim) of unit length."""

    def __init__(self, shape: NetworkShape | None = None) -> None:
        super().__init__()
        self.shape = shape or NetworkShape()
        width = self.shape.width
        self.stem = convolution(1, width, 5, 2)
        self.blocks = nn.Sequential(*(ResidualBlock(width << i, width << (i + 1)) for i in range(3)))
        cells = (self.shape.side // 16) ** 2
        self.project = nn.Linear((width << 3) * cells, self.shape.dim)

    def forward(self, ink: Tensor) -> Tensor:
        """Embed a batch of ink rasters."""
        x = functional.relu(self.stem(ink))
        x = self.blocks(x).flatten(1)
        # In float32 even if training multiplies in 16 bits: the loss must distinguish cosines of 0.99 and 1.
        embedding: Tensor = functional.normalize(self.project(x).float(), dim=1)
        return embedding


def build_network(shape: NetworkShape | None = None, seed: int = 0) -> EmbedderNetwork:
    """Build a freshly initialized network, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EmbedderNetwork(shape)


def load_network(weights: Path) -> EmbedderNetwork:
    """Load the network of a weights folder for inference; the file's metadata give its shape.

    Raises Precondition if the file is not there, as in an installed wheel, or is not the card's.
    """
    path = weights / SAFETENSORS
    if not path.exists():
        raise Precondition(
            f"no network can be trained further from {weights}: it has no {SAFETENSORS}. Of the shipped weights, the "
            "source distribution of haleganada-server and a checkout have it, in haleganada_server/weights",
            Reason.WEIGHTS_DAMAGED,
        )
    check_file(path)
    with safe_open(path, framework="pt") as file:
        sizes = {key: int(value) for key, value in file.metadata().items() if key in ("side", "width", "dim")}
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a dict
    network = EmbedderNetwork(NetworkShape(**sizes))
    network.load_state_dict(tensors, strict=True)
    network.eval()
    return network
