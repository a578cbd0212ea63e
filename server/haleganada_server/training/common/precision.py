"""Mixed precision: multiply in 16 bits where a device is fast at it; weights, gradients and optimizer keep 32.

bfloat16 has the range of float32. float16, which is all that older GPUs have, does not: small gradients would vanish,
so the loss is multiplied by a scale that grows as long as they stay finite (Micikevicius et al. 2018).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

_TENSOR_CORES = (7, 0)
"""Compute capability from which float16 is faster than float32."""


class Precision:
    """Autocast and loss scaling. dtype: the type in which matrices are multiplied, None for float32."""

    def __init__(self, dtype: torch.dtype | None = None, device: str = "cpu") -> None:
        self.dtype, self.device = dtype, device
        self._scaler = torch.amp.GradScaler(device, enabled=dtype is torch.float16)

    @staticmethod
    def choose(mixed_precision: bool | None, device: torch.device) -> Precision:
        """Return the precision that is set, or with None the one that the device is fast at."""
        return Precision(_choose_dtype(mixed_precision, device), device.type)

    def autocast(self) -> torch.autocast:
        """Return the context for a network's forward pass."""
        return torch.autocast(self.device, self.dtype, enabled=self.dtype is not None)

    def backward(self, loss: Tensor) -> None:
        """Add a loss's gradients, multiplied by the current scale."""
        self._scaler.scale(loss).backward()

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Update the weights once. A step with gradients beyond float16's range is skipped, and the scale halved."""
        self._scaler.step(optimizer)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """Return the state of the scale as JSON values; empty without a scale."""
        return dict(self._scaler.state_dict())

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what state() returned."""
        if state:
            self._scaler.load_state_dict(state)


@cache
def fast_dtype(device: torch.device) -> torch.dtype | None:
    """Return bfloat16 if the device has instructions for it, several times as fast as float32; else None."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if device.type != "cpu":
        return None
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # absent from older versions of torch
    return torch.bfloat16 if known.get("avx512_bf16") or known.get("amx_bf16") else None


def _choose_dtype(wanted: bool | None, device: torch.device) -> torch.dtype | None:
    if wanted is False:
        return None
    if device.type != "cuda":
        return torch.bfloat16 if wanted else None
    if fast := fast_dtype(device):
        return fast
    return torch.float16 if wanted or torch.cuda.get_device_capability(device) >= _TENSOR_CORES else None
