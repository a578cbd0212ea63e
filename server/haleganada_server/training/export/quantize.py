"""An ONNX network with 8-bit weights: about half the size of one whose matrices are halves, and faster where the
processor multiplies bytes. What is not quantized becomes halves, so that the file is no larger in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .half_precision import compact_graph

Floats = NDArray[np.float32]

_STATIC_KINDS = ["Conv", "Gemm", "MatMul", "MaxPool"]
_DYNAMIC_KINDS = ["Gemm", "MatMul"]  # a convolution whose ranges are looked up each time is slower than in float
_LEAST_AGREEMENT = 0.97
_CALIBRATING = 128  # drawings
_PIECE = 8


def quantize(source: Path, target: Path, ink: Floats, agreement: Callable[[Path], float]) -> str:
    """Write a network in int8; returns how: "static" or "dynamic".

    Static, that is with ranges of activations from ink (n, 1, side, side), if by `agreement` it then gives nearly
    the same answers; else dynamic: only dense layers, with ranges of each drawing, which is nearly exact.
    """
    plain = target.with_name(target.name + ".plain")
    try:
        # Without it, biases behind convolutions stay nodes of their own, and int8 is no faster than float.
        quant_pre_process(source, plain, skip_symbolic_shape=True)
        _static(plain, target, ink)
        _compact(target)
        if agreement(target) >= _LEAST_AGREEMENT:
            return "static"
        quantize_dynamic(plain, target, op_types_to_quantize=_DYNAMIC_KINDS, per_channel=True, reduce_range=True)
        _compact(target)
        return "dynamic"
    finally:
        plain.unlink(missing_ok=True)


def _static(source: Path, target: Path, ink: Floats) -> None:
    step = max(1, len(ink) // _CALIBRATING)
    quantize_static(
        source,
        target,
        _Samples(ink[::step][:_CALIBRATING]),
        op_types_to_quantize=_STATIC_KINDS,
        per_channel=True,
        reduce_range=True,  # processors without VNNI add pairs of products in 16 bits, which 8-bit weights overflow
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _compact(path: Path) -> None:
    """Folding batch normalizations into convolutions has left matrices that halves do not hold exactly: an error of
    2^-11 of each number, far below that of 8 bits.
    """
    model = onnx.load(path)
    compact_graph(model, rounded=True)
    onnx.save(model, path)


class _Samples(CalibrationDataReader):  # type: ignore[misc]
    """Drawings in small batches."""

    def __init__(self, ink: Floats) -> None:
        self._pieces: Iterator[Floats] = iter([ink[i : i + _PIECE] for i in range(0, len(ink), _PIECE)])

    def get_next(self) -> dict[str, Floats] | None:
        piece = next(self._pieces, None)
        return None if piece is None else {"ink": piece}
