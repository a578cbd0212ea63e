"""Export trained weights: a safetensors file in half precision, to train on, and an ONNX graph in 8 bits, to embed by.

The graph is built node by node, so the export needs no tracing, is the same on every machine, and contains nothing
superfluous. 8 bits halve the time of an embedding. Sums of whole numbers do not depend on the order of addition, so
processors agree on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from haleganada_server.training.common.checkpoint import write_tensors
from haleganada_server.training.export.half_precision import compact, round_matrices
from haleganada_server.training.export.quantize import quantize_statically
from haleganada_server.training.pretrain.network import EmbedderNetwork, ResidualBlock

OPSET = 17
_PERCENTILE = 99.99  # of activations within the range; 100 and 99.9 give embeddings twice and four times as far off
Floats = NDArray[np.float32]


class _Graph:
    """Collects nodes and constants; each method adds one and returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def matrix(self, values: torch.Tensor) -> str:
        """Add a matrix that half precision represents exactly; it is float32 once loaded."""
        half = values.detach().contiguous().half()
        if not torch.equal(half.float(), values):
            raise ValueError("round the network's matrices to half precision before the export")
        return self.add("Cast", [self.constant(half.numpy())], to=TensorProto.FLOAT)

    def add(self, kind: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def convolution(self, x: str, layer: nn.Sequential) -> str:
        conv = layer[0]
        assert isinstance(conv, nn.Conv2d)
        gain, bias = fold_batch_norm(layer)
        weight = self.add("Mul", [self.matrix(conv.weight), self.constant(gain[:, None, None, None])])
        k, s = conv.kernel_size[0], conv.stride[0]
        inputs = [x, weight, self.constant(bias)]
        return self.add("Conv", inputs, kernel_shape=[k, k], strides=[s, s], pads=[k // 2] * 4)

    def block(self, x: str, block: ResidualBlock) -> str:
        refined = self.convolution(self.add("Relu", [self.convolution(x, block.reduce)]), block.refine)
        pooled = self.add("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
        return self.add("Relu", [self.add("Add", [refined, self.convolution(pooled, block.skip)])])


def fold_batch_norm(layer: nn.Sequential) -> tuple[Floats, Floats]:
    """Return the gain and bias for each output channel that equal a convolution's batch normalization."""
    norm = layer[1]
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_var is not None and norm.running_mean is not None
    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    bias = norm.bias.double() - norm.running_mean.double() * gain
    return gain.detach().float().numpy(), bias.detach().float().numpy()


def build_onnx(network: EmbedderNetwork) -> onnx.ModelProto:
    """Build a graph from `ink` (n, 1, side, side), any n, to `embedding` (n, dim).

    Raises ValueError unless matrices are rounded to half precision.
    """
    graph, side, dim = _Graph(), network.shape.side, network.shape.dim
    x = graph.add("Relu", [graph.convolution("ink", network.stem)])
    for block in network.blocks:
        assert isinstance(block, ResidualBlock)
        x = graph.block(x, block)
    weight, bias = graph.matrix(network.project.weight), graph.constant(network.project.bias.detach().numpy())
    x = graph.add("Gemm", [graph.add("Flatten", [x]), weight, bias], transB=1)
    graph.add("LpNormalization", [x], output="embedding", axis=1, p=2)
    inputs = [helper.make_tensor_value_info("ink", TensorProto.FLOAT, ["n", 1, side, side])]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", dim])]
    body = helper.make_graph(graph.nodes, "embedder", inputs, outputs, graph.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="haleganada")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def open_session(model: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a session on the CPU. model: a file, or the bytes of one that needs no other file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"]
    )


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How close the exported graph is to the network. difference: the largest one of its embeddings before they are
    quantized. cosine: mean similarity of embeddings before and after.
    """

    difference: float
    cosine: float


def export_network(network: EmbedderNetwork, folder: Path, ink: Floats) -> Fidelity:
    """Write embedder.onnx and embedder.safetensors. ink: (n, 1, side, side), drawings whose activations set the ranges
    of the quantized ones.

    Raises RuntimeError if torch and onnxruntime differ by 1e-4 or more before anything is quantized.
    """
    round_matrices(network)
    metadata = {k: str(v) for k, v in network.shape.as_dict().items()} | {"format": "pt"}
    write_tensors(folder / "embedder.safetensors", compact(network.state_dict()), metadata)
    target = folder / "embedder.onnx"
    with TemporaryDirectory() as scratch:
        exact = Path(scratch) / "exact.onnx"
        exact.write_bytes(build_onnx(network.eval()).SerializeToString())
        expected = _embed(exact, ink)
        with torch.inference_mode():
            difference = float(np.abs(network(torch.from_numpy(ink)).numpy() - expected).max())
        if not difference < 1e-4:
            raise RuntimeError(f"the ONNX network differs from torch's by {difference:.1e}; the export is wrong")
        _quantize(exact, target, ink)
    return Fidelity(difference=difference, cosine=float((_embed(target, ink) * expected).sum(axis=1).mean()))


def _quantize(exact: Path, target: Path, ink: Floats) -> None:
    """Quantize all layers but the first one, whose rounding errors all others would see."""
    plain = exact.with_name("plain.onnx")
    quant_pre_process(exact, plain, skip_symbolic_shape=True)
    model = onnx.load(plain)
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}{number}"
    onnx.save(model, plain)
    first = next(node.name for node in model.graph.node if node.op_type == "Conv")
    quantize_statically(plain, target, ink, ["Conv", "Gemm"], [first], _PERCENTILE)


def _embed(model: Path, ink: Floats) -> Floats:
    session = open_session(model)
    parts = [session.run(["embedding"], {"ink": ink[start : start + 64]})[0] for start in range(0, len(ink), 64)]
    return np.concatenate(parts)
