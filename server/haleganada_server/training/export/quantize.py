"""Quantize an ONNX network to 8-bit weights.

It takes about half the size of half precision, and is faster on processors that multiply bytes. What is not quantized
is stored in half precision, so that the file is never larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from .half_precision import compact_graph

Floats = NDArray[np.float32]

_STATIC_KINDS = ["Conv", "Gemm", "MatMul", "MaxPool"]
_DYNAMIC_KINDS = ["Gemm", "MatMul"]  # convolutions with dynamic ranges are slower than in float
_EXACT = "/rejection/"
_LEAST_AGREEMENT = 0.97
_CALIBRATION_SAMPLES = 128
_CHUNK = 8


def quantize(source: Path, target: Path, ink: Floats, agreement: Callable[[Path], float]) -> str:
    """Write a network in int8 and return the method, "static" or "dynamic".

    Static quantization takes the ranges of activations from ink (n, 1, side, side). If `agreement` of its answers is
    too low, only dense layers are quantized, with ranges of each drawing, which is nearly exact: "dynamic".
    """
    plain = target.with_name(target.name + ".plain")
    try:
        # Otherwise biases of convolutions stay separate nodes, and int8 is no faster than float.
        quant_pre_process(source, plain, skip_symbolic_shape=True)
        step = max(1, len(ink) // _CALIBRATION_SAMPLES)
        quantize_statically(plain, target, ink[::step][:_CALIBRATION_SAMPLES], _STATIC_KINDS, _list_exact_nodes(plain))
        _compact(target)
        if agreement(target) >= _LEAST_AGREEMENT:
            return "static"
        quantize_dynamic(
            plain,
            target,
            op_types_to_quantize=_DYNAMIC_KINDS,
            nodes_to_exclude=_list_exact_nodes(plain),
            per_channel=True,
            reduce_range=True,
        )
        _compact(target)
        return "dynamic"
    finally:
        plain.unlink(missing_ok=True)


def quantize_statically(
    source: Path, target: Path, ink: Floats, kinds: Sequence[str], exact: Sequence[str], percentile: float = 100.0
) -> None:
    """Write a preprocessed network with weights and activations in 8 bits.

    ink: (n, 1, side, side), whose activations set the ranges. kinds: operators to quantize. exact: names of the nodes
    not to. percentile: share of the activations, in percent, that their range holds; larger ones are cut off.
    """
    method, options = CalibrationMethod.MinMax, {}
    if percentile < 100:
        method, options = CalibrationMethod.Percentile, {"CalibPercentile": percentile}
    with redirect_stdout(StringIO()):  # onnxruntime prints what it calibrates
        quantize_static(
            source,
            target,
            _CalibrationReader(ink),
            op_types_to_quantize=list(kinds),
            nodes_to_exclude=list(exact),
            per_channel=True,
            reduce_range=True,  # 8-bit weights overflow the 16-bit sums of processors without VNNI
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=method,
            extra_options=options,
        )


def _list_exact_nodes(path: Path) -> list[str]:
    """Return the nodes that measure distances: small differences of large numbers, which 8 bits do not hold."""
    return [node.name for node in onnx.load(path, load_external_data=False).graph.node if _EXACT in node.name]


def _compact(path: Path) -> None:
    """Round the remaining matrices to half precision.

    Folded batch normalization makes them inexact, by at most 2^-11 of each value, far less than 8 bits do.
    """
    model = onnx.load(path)
    compact_graph(model, rounded=True)
    onnx.save(model, path)


class _CalibrationReader(CalibrationDataReader):  # type: ignore[misc]
    """Yields drawings in small batches."""

    def __init__(self, ink: Floats) -> None:
        whole = len(ink) - len(ink) % _CHUNK if len(ink) > _CHUNK else len(ink)  # percentiles need equally large ones
        self._chunks: Iterator[Floats] = iter([ink[i : i + _CHUNK] for i in range(0, whole, _CHUNK)])

    def get_next(self) -> dict[str, Floats] | None:
        chunk = next(self._chunks, None)
        return None if chunk is None else {"ink": chunk}
