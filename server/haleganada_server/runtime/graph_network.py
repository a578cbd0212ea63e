"""The embedder's ONNX graph, computed by torch, on devices that torch knows.

Both runtimes read the same file, so a drawing has the same embedding on every device. Quantized layers are computed
with whole numbers in float32, which holds each sum of their products exactly up to 2^24; onnxruntime uses integers.
What can differ is how a value halfway between two steps is rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional


class _Quantized(NamedTuple):
    """Whole numbers as float32, and what one step of them is worth: a scalar, or (channels,) along the first axis."""

    steps: Tensor
    scale: Tensor

    def to_float(self) -> Tensor:
        shape = (-1, *[1] * (self.steps.dim() - 1)) if self.scale.dim() else ()
        return self.steps * self.scale.reshape(shape)


_Value: TypeAlias = Tensor | _Quantized


class GraphNetwork(nn.Module):
    """(n, 1, side, side) ink in 0..1 -> (n, dim) of unit length, by the operators that an exported embedder has."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError if the graph has another operator."""
        super().__init__()
        graph = onnx.load(path).graph
        self._nodes = [(_OPERATORS[n.op_type], n, _read_attributes(n)) for n in graph.node if n.op_type in _OPERATORS]
        if unknown := {node.op_type for node in graph.node} - set(_OPERATORS):
            raise ValueError(f"the graph has operators that are not known here: {', '.join(sorted(unknown))}")
        self._input, self._output = graph.input[0].name, graph.output[0].name
        for constant in graph.initializer:
            self.register_buffer(_to_buffer(constant.name), torch.from_numpy(numpy_helper.to_array(constant).copy()))
        self._constants = [constant.name for constant in graph.initializer]

    def forward(self, ink: Tensor) -> Tensor:
        """Compute all nodes, in the order of the graph."""
        values: dict[str, _Value] = {name: self.get_buffer(_to_buffer(name)) for name in self._constants}
        values[self._input] = ink
        for operator, node, attributes in self._nodes:
            values[node.output[0]] = operator([values[name] for name in node.input if name], attributes)
        return _to_float(values[self._output])


def _to_buffer(name: str) -> str:
    return name.replace(".", "_")  # which torch allows in no name


def _read_attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _to_float(value: _Value) -> Tensor:
    return value.to_float() if isinstance(value, _Quantized) else value


def _on_floats(function: Callable[[list[Tensor], dict[str, Any]], Tensor]) -> Callable[..., Tensor]:
    return lambda inputs, attributes: function([_to_float(value) for value in inputs], attributes)


def _quantize(inputs: list[Tensor], _: dict[str, Any]) -> Tensor:
    x, scale, zero = _to_float(inputs[0]), inputs[1], inputs[2]
    limits = torch.iinfo(zero.dtype)
    return torch.clamp(torch.round(x / scale) + zero, limits.min, limits.max)


def _dequantize(inputs: list[Tensor], _: dict[str, Any]) -> _Quantized:
    steps, scale, *zero = inputs
    shape = (-1, *[1] * (steps.dim() - 1)) if scale.dim() else ()
    return _Quantized(steps.float() - zero[0].reshape(shape).float() if zero else steps.float(), scale)


def _multiply(product: Callable[[Tensor, Tensor], Tensor], inputs: list[_Value], channels: tuple[int, ...]) -> Tensor:
    """Return a product by weights plus a bias. channels: shape in which one number for each channel is applied."""
    x, weight, *bias = inputs
    if isinstance(x, _Quantized) and isinstance(weight, _Quantized):
        result = product(x.steps, weight.steps) * (x.scale * weight.scale).reshape(channels)
    else:
        result = product(_to_float(x), _to_float(weight))
    return result + _to_float(bias[0]).reshape(channels) if bias else result


def _convolve(inputs: list[_Value], attributes: dict[str, Any]) -> Tensor:
    stride, padding = attributes["strides"], attributes["pads"][:2]
    return _multiply(lambda x, weight: functional.conv2d(x, weight, None, stride, padding), inputs, (1, -1, 1, 1))


def _connect(inputs: list[_Value], _: dict[str, Any]) -> Tensor:
    return _multiply(functional.linear, inputs, (1, -1))  # transB = 1, as exported


def _pool(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    return functional.avg_pool2d(inputs[0], attributes["kernel_shape"], attributes["strides"])


_OPERATORS: dict[str, Callable[[list[Any], dict[str, Any]], _Value]] = {
    "Add": _on_floats(lambda inputs, _: inputs[0] + inputs[1]),
    "AveragePool": _on_floats(_pool),
    "Cast": _on_floats(lambda inputs, _: inputs[0].float()),
    "Conv": _convolve,
    "DequantizeLinear": _dequantize,
    "Flatten": _on_floats(lambda inputs, _: inputs[0].flatten(1)),
    "Gemm": _connect,
    "LpNormalization": _on_floats(lambda inputs, _: functional.normalize(inputs[0])),
    "Mul": _on_floats(lambda inputs, _: inputs[0] * inputs[1]),
    "QuantizeLinear": _quantize,
    "Relu": _on_floats(lambda inputs, _: functional.relu(inputs[0])),
}
