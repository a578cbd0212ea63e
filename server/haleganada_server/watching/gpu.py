"""The memory and the use of the GPU that embeds. torch is not imported for that: it is there if there is such a GPU."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_CUDA = "cuda"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuState:
    """used_bytes, size_bytes: of the device's memory, by all processes. own_bytes: by tensors of this one. utilization:
    share of the last moment that it computed, 0 to 1; None where NVIDIA's library for that is not installed.
    """

    used_bytes: int
    size_bytes: int
    own_bytes: int
    utilization: float | None


def measure_gpu(device: str, torch: Any = None) -> GpuState | None:
    """Return the state of the GPU that a device's description begins with; None for other devices, and for one that
    does not answer.
    """
    name = device.split()[0]
    torch = torch or sys.modules.get("torch")
    if not name.startswith(_CUDA) or torch is None:
        return None
    with suppress(RuntimeError):  # torch raises it for all failures of a device
        free, size = torch.cuda.mem_get_info(name)
        own = torch.cuda.memory_allocated(name)
        return GpuState(used_bytes=size - free, size_bytes=size, own_bytes=own, utilization=_measure_use(torch, name))
    return None


def _measure_use(torch: Any, name: str) -> float | None:
    with suppress(ImportError, RuntimeError, AttributeError):
        return float(torch.cuda.utilization(name)) / 100
    return None
