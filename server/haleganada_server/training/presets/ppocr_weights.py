"""The weights of PP-OCRv6 small, from the ONNX file in RapidOCR's package, which is known by its hash."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.installation import describe_install

from .ppocr_v6 import PpOcrV6

_FILE = "PP-OCRv6_rec_small.onnx"
_SHA256 = "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
_CHARACTERS = "character"
"""The entry of the file's metadata with its characters, one in each row; the last one, a space, is left out there."""


def find_ppocr() -> Path:
    """Return the file. Raises Precondition if RapidOCR is not installed, or has another model."""
    spec = importlib.util.find_spec("rapidocr")
    path = Path(spec.origin).parent / "models" / _FILE if spec is not None and spec.origin else None
    if path is None or not path.exists():
        raise Precondition(
            f"the weights of PP-OCRv6 small are not on the server: {describe_install('read')}, or choose another "
            "preset",
            Reason.BACKBONE_WEIGHTS_MISSING,
        )
    if file_sha256(path) != _SHA256:
        raise Precondition(
            f"{_FILE} of the installed rapidocr is not the one that this preset knows; install rapidocr 3.10, or "
            "choose another preset",
            Reason.BACKBONE_WEIGHTS_UNUSABLE,
        )
    return path


def load_ppocr(network: PpOcrV6, symbols: Sequence[str]) -> list[str]:
    """Give a network the weights of the file, and return its characters. symbols: of the network; what the file knows
    of them is kept, others start at random.
    """
    model = onnx.load(find_ppocr())
    weights = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in model.graph.initializer}
    known = _list_characters(model)
    with torch.no_grad():
        _load_convolutions(network, model, weights)
        _load_norms(network, weights)
        _load_head(network, weights, known, symbols)
    return known


def _list_characters(model: onnx.ModelProto) -> list[str]:
    (listed,) = (entry.value for entry in model.metadata_props if entry.key == _CHARACTERS)
    return [*listed.splitlines(), " "]


def _load_convolutions(network: PpOcrV6, model: onnx.ModelProto, weights: dict[str, Tensor]) -> None:
    """Copy the convolutions in the order of the graph; a bias is added by the node behind a convolution."""
    nodes = [node for node in model.graph.node if node.op_type == "Conv"]
    users = {name: node for node in reversed(model.graph.node) for name in node.input}
    modules: list[nn.Conv2d] = [*network.stem]  # type: ignore[list-item]
    for block in network.blocks:
        modules += block.convolutions()  # type: ignore[operator]
    modules += [network.skip, network.reduce, network.local]
    for module, node in zip(modules, nodes, strict=True):
        module.weight.copy_(weights[node.input[1]])
        if module.bias is not None:
            module.bias.copy_(weights[users[node.output[0]].input[1]].flatten())


def _load_norms(network: PpOcrV6, weights: dict[str, Tensor]) -> None:
    for norm, number in ((network.skip_norm, 57), (network.reduce_norm, 55), (network.local_norm, 56)):
        for name, tensor in (("w_0", norm.weight), ("b_0", norm.bias), ("w_1", norm.running_mean),
                             ("w_2", norm.running_var)):  # fmt: skip
            tensor.copy_(weights[f"batch_norm2d_{number}.{name}"])  # type: ignore[union-attr]
    linears = [linear for one in network.attention for linear in one.linears()]  # type: ignore[operator]
    for number, linear in enumerate(linears):
        linear.weight.copy_(weights[f"linear_{number}.w_0"].T)
        linear.bias.copy_(weights[f"linear_{number}.b_0"])
    norms = [norm for one in network.attention for norm in (one.before, one.after)]
    for number, norm in enumerate([*norms, network.norm]):
        norm.weight.copy_(weights[f"helper.reshape.{2 * number}"])  # type: ignore[operator]
        norm.bias.copy_(weights[f"helper.reshape.{2 * number + 1}"])  # type: ignore[operator]


def _load_head(network: PpOcrV6, weights: dict[str, Tensor], known: Sequence[str], symbols: Sequence[str]) -> None:
    number = 4 * len(network.attention)
    rows, biases = weights[f"linear_{number}.w_0"].T, weights[f"linear_{number}.b_0"]
    places = {character: place for place, character in enumerate(["", *known])}
    head = network.decoder
    head.weight.copy_(torch.randn_like(head.weight) * rows.std())
    head.bias.fill_(float(biases.median()))
    for row, symbol in enumerate(["", *symbols]):
        if (place := places.get(symbol)) is not None:
            head.weight[row], head.bias[row] = rows[place], biases[place]
