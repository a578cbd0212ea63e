"""Matrices in half precision, which halves a model's files.

A network is rounded before it is measured, so that what is measured, stored and exported is the same network: half
precision (IEEE 754 binary16) holds the numbers exactly then, and single precision, in which they are multiplied, does
too. Vectors, which are small, stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn


@torch.no_grad()
def round_matrices(network: nn.Module) -> None:
    """Round each parameter of two or more dimensions to half precision, in place; one that has numbers beyond 65,504
    stays as it is.
    """
    for parameter in network.parameters():
        parameter.copy_(_rounded(parameter))


def compact(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A network's state, with matrices as float16 where that holds them exactly; loading it gives the same network."""
    return {name: tensor.half() if _fits(tensor) else tensor for name, tensor in state.items()}


def compact_graph(model: onnx.ModelProto, rounded: bool = False) -> None:
    """The same for an ONNX graph, in place. onnxruntime casts them once, when it loads the graph. rounded: also those
    matrices that half precision does not hold exactly, unless they have numbers beyond its range.
    """
    graph, casts = model.graph, []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32:
            continue
        matrix = torch.from_numpy(values.copy())
        if _fits(_rounded(matrix) if rounded else matrix):
            name = constant.name
            constant.CopyFrom(numpy_helper.from_array(matrix.half().numpy(), f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _rounded(tensor: Tensor) -> Tensor:
    """A matrix of numbers that half precision holds; the tensor itself if it is none, or goes beyond its range."""
    near = tensor.half().to(tensor.dtype)
    return near if tensor.ndim > 1 and bool(near.isfinite().all()) else tensor


def _fits(tensor: Tensor) -> bool:
    """Whether it is a matrix of single precision that half precision holds exactly."""
    return bool(tensor.dtype == torch.float32 and tensor.ndim > 1 and torch.equal(tensor.half().float(), tensor))
