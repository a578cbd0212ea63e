"""Matrices in half precision, which halves the size of a model's files.

A network is rounded before it is evaluated, so that the evaluated, stored and exported network are the same: half
precision (IEEE 754 binary16) then holds its numbers exactly, as does single precision, in which they are multiplied.
Vectors are small and stay as they are.
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
    """Round parameters of two or more dimensions to half precision in place, except those with values beyond 65,504."""
    for parameter in network.parameters():
        parameter.copy_(_round(parameter))


def compact(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a network's state with matrices as float16 where that is exact; it loads as the same network."""
    return {name: tensor.half() if _is_exact_in_half(tensor) else tensor for name, tensor in state.items()}


def compact_graph(model: onnx.ModelProto, rounded: bool = False) -> None:
    """Store matrices of an ONNX graph as float16 where that is exact, in place; onnxruntime casts them on load.

    rounded: round the other matrices, too, except those with values beyond the range of half precision.
    """
    graph, casts = model.graph, []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32:
            continue
        matrix = torch.from_numpy(values.copy())
        if _is_exact_in_half(_round(matrix) if rounded else matrix):
            name = constant.name
            constant.CopyFrom(numpy_helper.from_array(matrix.half().numpy(), f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _round(tensor: Tensor) -> Tensor:
    """Round a matrix to half precision; return vectors, and matrices beyond its range, unchanged."""
    rounded = tensor.half().to(tensor.dtype)
    return rounded if tensor.ndim > 1 and bool(rounded.isfinite().all()) else tensor


def _is_exact_in_half(tensor: Tensor) -> bool:
    """Return whether a tensor is a float32 matrix that half precision holds exactly."""
    return bool(tensor.dtype == torch.float32 and tensor.ndim > 1 and torch.equal(tensor.half().float(), tensor))
