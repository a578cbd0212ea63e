"""Computing in sixteen bits where a device is fast at it; weights, gradients and the optimiser keep thirty-two.

bfloat16 reaches as far as float32 does. float16, which is all that older GPUs have, does not: small gradients would
vanish in it, so the loss is multiplied by a scale that grows while they stay finite (Micikevicius et al. 2018).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

_TENSOR_CORES = (7, 0)
"""From this compute capability on, float16 is faster than float32."""


class Precision:
    """dtype: what matrices are multiplied in, None for float32."""

    def __init__(self, dtype: torch.dtype | None = None, device: str = "cpu") -> None:
        self.dtype, self.device = dtype, device
        self._scaler = torch.amp.GradScaler(device, enabled=dtype is torch.float16)

    @staticmethod
    def choose(mixed_precision: bool | None, device: torch.device) -> Precision:
        """As set, else what the device is fast at."""
        return Precision(_dtype(mixed_precision, device), device.type)

    def autocast(self) -> torch.autocast:
        """The context in which a network computes forward."""
        return torch.autocast(self.device, self.dtype, enabled=self.dtype is not None)

    def backward(self, loss: Tensor) -> None:
        """Add a loss's gradients, multiplied by the present scale."""
        self._scaler.scale(loss).backward()

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        """Change the weights once. A step whose gradients left float16's range is passed over, and the scale halved."""
        self._scaler.step(optimiser)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """Of the scale, JSON values only; empty where there is none."""
        return dict(self._scaler.state_dict())

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what state() gave."""
        if state:
            self._scaler.load_state_dict(state)


@cache
def quick_dtype(device: torch.device) -> torch.dtype | None:
    """bfloat16 where a device multiplies it by instructions of its own, several times as fast as float32; else None."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if device.type != "cpu":
        return None
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older versions of torch cannot tell
    return torch.bfloat16 if known.get("avx512_bf16") or known.get("amx_bf16") else None


def _dtype(wanted: bool | None, device: torch.device) -> torch.dtype | None:
    if wanted is False:
        return None
    if device.type != "cuda":
        return torch.bfloat16 if wanted else None
    if quick := quick_dtype(device):
        return quick
    return torch.float16 if wanted or torch.cuda.get_device_capability(device) >= _TENSOR_CORES else None
