"""An ONNX graph that reads its constants from the safetensors file beside it, so that they are on disk once.

ONNX calls that external data: a constant names a file, an offset and a length. A safetensors file is eight bytes with
the length of a header, the header as JSON, and then the numbers of all tensors as they lie in memory
(https://github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

_SMALLEST = 1024  # bytes; naming a file, an offset and a length takes a hundred
_TYPES = {"F16": "float16", "F32": "float32"}


def share_tensors(graph: onnx.GraphProto, beside: Path) -> None:
    """Let the graph's constants be read from a safetensors file in the graph's own folder, in place, where it holds
    the same numbers in the same form.
    """
    places = _places(beside)
    for constant in graph.initializer:
        place = places.get(_key(numpy_helper.to_array(constant)))
        if place is not None:
            offset, length = place
            constant.ClearField("raw_data")
            constant.data_location = TensorProto.EXTERNAL
            for key, value in (("location", beside.name), ("offset", str(offset)), ("length", str(length))):
                constant.external_data.add(key=key, value=value)


def _places(file: Path) -> dict[bytes, tuple[int, int]]:
    """The numbers of each tensor -> offset and length in bytes."""
    content = file.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    found = {}
    for name, tensor in header.items():
        if name != "__metadata__" and tensor["dtype"] in _TYPES:
            begin, end = tensor["data_offsets"]
            numbers = np.frombuffer(content[start + begin : start + end], _TYPES[tensor["dtype"]])
            found[_key(numbers.reshape(tensor["shape"]))] = (start + begin, end - begin)
    return {key: place for key, place in found.items() if place[1] >= _SMALLEST}


def _key(values: NDArray[np.generic]) -> bytes:
    return f"{values.dtype} {values.shape} ".encode() + values.tobytes()
