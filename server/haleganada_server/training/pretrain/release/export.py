"""Export trained weights: a safetensors file, and an ONNX graph without batch normalization that reads it.

The graph is built node by node, so the export needs no tracing, is the same on every machine, and contains nothing
superfluous. Matrices are stored in half precision, which halves the file; onnxruntime folds their casts and the gains
of batch normalization when it loads the graph.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from haleganada_server.runtime.network import EmbedderNetwork, ResidualBlock
from haleganada_server.training.common.checkpoint import write_tensors
from haleganada_server.training.export.half_precision import compact, round_matrices
from haleganada_server.training.export.shared_tensors import share_tensors

OPSET = 17
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


def measure_parity(network: EmbedderNetwork, model: Path, ink: Floats) -> float:
    """Return the largest difference between the embeddings by torch and by onnxruntime."""
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(ink)).numpy()
    return float(np.abs(open_session(model).run(["embedding"], {"ink": ink})[0] - expected).max())


def export_network(network: EmbedderNetwork, folder: Path, ink: Floats) -> float:
    """Write embedder.onnx and embedder.safetensors; return the largest difference of embeddings of `ink`.

    Raises RuntimeError if torch and onnxruntime differ by 1e-4 or more.
    """
    round_matrices(network)
    onnx_file, tensors = folder / "embedder.onnx", folder / "embedder.safetensors"
    metadata = {k: str(v) for k, v in network.shape.as_dict().items()} | {"format": "pt"}
    write_tensors(tensors, compact(network.state_dict()), metadata)
    model = build_onnx(network.eval())
    share_tensors(model.graph, tensors)
    onnx_file.write_bytes(model.SerializeToString())
    difference = measure_parity(network, onnx_file, ink)
    if not difference < 1e-4:
        raise RuntimeError(f"the ONNX network differs from torch's by {difference:.1e}; the export is wrong")
    return difference
