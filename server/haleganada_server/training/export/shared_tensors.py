"""Let an ONNX graph read its constants from the safetensors file beside it, so that they are stored once.

ONNX calls this external data: a constant names a file, an offset and a length. A safetensors file has eight bytes with
the length of its header, the header as JSON, and then the raw values of all tensors
(https://github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

_SMALLEST = 1024  # bytes; a reference takes about a hundred
_TYPES = {"F16": "float16", "F32": "float32"}


def share_tensors(graph: onnx.GraphProto, beside: Path) -> None:
    """Replace constants that a safetensors file in the graph's folder also holds by references to it, in place.

    Constants match if type, shape and values are equal.
    """
    places = _locate_tensors(beside)
    for constant in graph.initializer:
        place = places.get(_key(numpy_helper.to_array(constant)))
        if place is not None:
            offset, length = place
            constant.ClearField("raw_data")
            constant.data_location = TensorProto.EXTERNAL
            for key, value in (("location", beside.name), ("offset", str(offset)), ("length", str(length))):
                constant.external_data.add(key=key, value=value)


def _locate_tensors(file: Path) -> dict[bytes, tuple[int, int]]:
    """Return offset and length in bytes of each large tensor, by its key."""
    content = file.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    found = {}
    for name, tensor in header.items():
        if name != "__metadata__" and tensor["dtype"] in _TYPES:
            begin, end = tensor["data_offsets"]
            values = np.frombuffer(content[start + begin : start + end], _TYPES[tensor["dtype"]])
            found[_key(values.reshape(tensor["shape"]))] = (start + begin, end - begin)
    return {key: place for key, place in found.items() if place[1] >= _SMALLEST}


def _key(values: NDArray[np.generic]) -> bytes:
    """Return bytes that are equal for arrays of equal type, shape and values."""
    return f"{values.dtype} {values.shape} ".encode() + values.tobytes()
