"""The processes that train together: one, or those that torchrun started, which take every step together."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

_PATIENCE = timedelta(hours=12)
"""How long processes wait for the first one, which alone measures and exports. One that dies is noticed at once."""


@dataclass(frozen=True)
class ProcessGroup:
    """This process among `count`. The one of rank 0 reports, and writes all files."""

    device: torch.device
    count: int = 1
    rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process reports and writes."""
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network, made to average its gradients over the processes after each step."""
        return network if self.count == 1 else DistributedDataParallel(network)

    def sum(self, values: Sequence[float]) -> list[float]:
        """Return the sums over all processes, the same in each."""
        if self.count == 1:
            return list(values)
        # Multi-GPU back ends sum only tensors on a GPU.
        totals = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(totals)
        return [float(v) for v in totals]

    def any(self, value: bool) -> bool:
        """Return True in every process if the value is True in one."""
        return value if self.count == 1 else self.sum([float(value)])[0] > 0

    def take_first(self, value: float) -> float:
        """Return the first process's value in every process."""
        return value if self.count == 1 else self.sum([value if self.is_first else 0.0])[0]

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace the gradients by their means over the processes, as wrap() does by itself."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients]) / self.count
        dist.all_reduce(flat)
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def wait(self) -> None:
        """Wait until all processes have come this far."""
        if self.count > 1:
            dist.barrier()

    def broadcast_buffers(self, network: nn.Module) -> None:
        """Copy the first process's running statistics to the others: they are not averaged, as gradients are."""
        if self.count > 1:
            for buffer in network.buffers():
                dist.broadcast(buffer, 0)


ALONE = ProcessGroup(torch.device("cpu"))
"""One process, on the CPU."""


@contextlib.contextmanager
def join_process_group() -> Iterator[ProcessGroup]:
    """Join the processes that torchrun started, and leave them at the end; without torchrun this one is alone."""
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local_rank) if torch.cuda.is_available() else torch.device("cpu")
    if count == 1:
        yield ProcessGroup(device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield ProcessGroup(device, count, rank)
        dist.barrier()  # none leaves while another still waits for what it sends
    finally:
        dist.destroy_process_group()
