"""Run by torchrun in test_several_processes.py: each process trains on every second of the same batches."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from haleganada_server.training.common.checkpoint import State, write_tensors
from haleganada_server.training.common.precision import Precision, fast_dtype
from haleganada_server.training.common.process_exit import exit_process
from haleganada_server.training.common.process_group import ProcessGroup, join_process_group
from haleganada_server.training.pretrain.loop import Budget, LoopOptions, Trainer, new_state
from haleganada_server.training.pretrain.network import NetworkShape
from haleganada_server.training.pretrain.optimizer import learning_rate, set_learning_rate
from haleganada_server.training.pretrain.synthesis.batches import BatchStream
from numpy.typing import NDArray
from torch import Tensor

STEPS = 3
SHAPE = NetworkShape(side=64, width=4, dim=8)


def make_batch(number: int) -> NDArray[np.uint8]:
    """Return (4 ways, 2 drawings, side, side)."""
    return np.random.default_rng(number).integers(0, 256, (4, 2, SHAPE.side, SHAPE.side), dtype=np.uint8)


def train(out: Path, group: ProcessGroup) -> dict[str, Tensor]:
    """Train on this process's batches; return the weights."""

    def batches(step: int) -> BatchStream:
        while True:
            yield make_batch(step * group.count + group.rank)
            step += 1

    state = new_state(0, SHAPE)
    Trainer(state, LoopOptions(out, Budget(STEPS)), {}, lambda _: None, group=group).run(batches)
    return _get_weights(state)


def train_alone_on_pairs() -> dict[str, Tensor]:
    """Take each step along the mean gradient of two batches, in this process; return the weights."""
    state = new_state(0, SHAPE)
    for step in range(STEPS):
        set_learning_rate(state.optimizers, learning_rate(step / STEPS))
        for optimizer in state.optimizers:
            optimizer.zero_grad()
        for number in (2 * step, 2 * step + 1):
            batch = make_batch(number)
            ink = torch.from_numpy(batch.reshape(-1, 1, *batch.shape[2:])).float() / 255
            with Precision(fast_dtype(ink.device), ink.device.type).autocast():
                embeddings = state.network(ink.contiguous(memory_format=torch.channels_last))
            (state.loss(embeddings.view(*batch.shape[:2], -1)) / 2).backward()
        for optimizer in state.optimizers:
            optimizer.step()
    return _get_weights(state)


def _get_weights(state: State) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in state.network.named_parameters()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    with join_process_group() as joined:
        write_tensors(folder / f"rank{joined.rank}.safetensors", train(folder, joined), {})
    exit_process(0)
