"""Selecting the device that embeds. torch, which takes seconds to import, is not imported without a CUDA driver."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason, StartReason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.glyphs.ports import Embedder
from haleganada_server.core.installation import describe_install

from .onnx_embedder import OnnxEmbedder
from .weights import Weights

ToInput = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def select_embedder(weights: Weights, device: str, to_input: ToInput) -> Embedder:
    """Return the embedder on a device: "auto", "cpu" or "cuda:N". Raises Precondition if it is not available."""
    if device == "auto":
        device = "cuda:0" if _is_torch_installed() and _count_cuda_devices() > 0 else "cpu"
    if device == "cpu":
        return OnnxEmbedder(weights, to_input)
    _require_cuda(device)
    from .torch_embedder import TorchEmbedder

    return TorchEmbedder(weights, to_input, device)


def _require_cuda(device: str) -> None:
    if not re.fullmatch(r"cuda:\d+", device):
        raise Precondition(f"there is no device “{device}”; choose auto, cpu or cuda:N", StartReason.DEVICE_UNKNOWN)
    count = _count_cuda_devices()
    if int(device.removeprefix("cuda:")) >= count:
        found = f"{count} CUDA device{'' if count == 1 else 's'}" if count else "no CUDA device"
        raise Precondition(
            f"the device {device} is not available: this machine has {found}; choose --device cpu or auto",
            StartReason.DEVICE_NOT_AVAILABLE,
        )
    if not _is_torch_installed():
        raise Precondition(
            f"the device {device} needs torch: {describe_install('train')}, or choose --device cpu",
            Reason.TORCH_NOT_INSTALLED,
        )


def _is_torch_installed() -> bool:
    return importlib.util.find_spec("torch") is not None


def _count_cuda_devices() -> int:
    """Return the number of devices that the CUDA driver reports; 0 without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
