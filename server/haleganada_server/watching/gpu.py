"""The memory and the use of the GPU that embeds. torch is not imported for that: it is there if there is such a GPU."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
    """Return the state of the GPU that a device's description begins with, of several the sum and the mean use; None
    for other devices, and if one does not answer.
    """
    names = device.split()[0].split(",")
    torch = torch or sys.modules.get("torch")
    if not names[0].startswith(_CUDA) or torch is None:
        return None
    with suppress(RuntimeError):  # torch raises it for all failures of a device
        memory = [torch.cuda.mem_get_info(name) for name in names]
        return GpuState(
            used_bytes=sum(size - free for free, size in memory),
            size_bytes=sum(size for _, size in memory),
            own_bytes=sum(torch.cuda.memory_allocated(name) for name in names),
            utilization=_measure_use(torch, names),
        )
    return None


def _measure_use(torch: Any, names: Sequence[str]) -> float | None:
    with suppress(ImportError, RuntimeError, AttributeError):
        return sum(float(torch.cuda.utilization(name)) for name in names) / len(names) / 100
    return None
