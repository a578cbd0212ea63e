"""The processes that train together: one, or those that torchrun has started, which do every step in common."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Processes:
    """This process among `count`. Number 0 reports, and writes all files."""

    device: torch.device
    count: int = 1
    rank: int = 0

    @property
    def first(self) -> bool:
        """True in the process that reports and writes."""
        return self.rank == 0

    def wrapped(self, network: nn.Module) -> nn.Module:
        """The network, with its gradients averaged over the processes after each step."""
        return network if self.count == 1 else DistributedDataParallel(network)

    def sums(self, values: Sequence[float]) -> list[float]:
        """The sums over all processes, the same in each."""
        if self.count == 1:
            return list(values)
        # Multi-GPU back ends sum only what lies on a GPU.
        totals = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(totals)
        return [float(v) for v in totals]

    def any(self, here: bool) -> bool:
        """True in every process if it is in one."""
        return here if self.count == 1 else self.sums([float(here)])[0] > 0

    def share_buffers(self, network: nn.Module) -> None:
        """Give every process the first one's running statistics, which are not gradients and so are not averaged."""
        if self.count > 1:
            for buffer in network.buffers():
                dist.broadcast(buffer, 0)


@contextlib.contextmanager
def joined_processes() -> Iterator[Processes]:
    """This process among those that torchrun has started; alone without it. Ends the connection at the end."""
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = _device(int(os.environ.get("LOCAL_RANK", "0")))
    if count == 1:
        yield Processes(device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(device, count, rank)
    finally:
        dist.destroy_process_group()


def _device(local_rank: int) -> torch.device:
    return torch.device("cuda", local_rank) if torch.cuda.is_available() else torch.device("cpu")
