"""Run by torchrun in test_processes.py: trains a network whose result does not depend on how batches are divided."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.training_data import read_dataset
from haleganada_server.training.fit.loop import FitHooks, FitLoop
from haleganada_server.training.fit.processes import Processes, joined_processes
from haleganada_server.training.fit.settings import FitSettings
from haleganada_server.training.fit.state import FitState, build_optimiser
from torch import nn

Answer = tuple[list[float], list[dict[str, float]]]


def trained(dataset: dict[str, object], settings: FitSettings, processes: Processes) -> Answer:
    """All weights after the last epoch, and the history. The first epoch trains the last layer alone."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(196, 3))
    state = FitState(network, build_optimiser(network.parameters(), settings))
    ink, hooks = InkInput(16, processes.device), FitHooks(lambda _: None, lambda: False)
    loop = FitLoop(state, read_dataset(dataset), settings, ink, processes, network[3].parameters(), hooks)
    while not state.over(settings):
        epoch = loop.run_epoch()
        assert epoch is not None
        state.add(epoch, validated=True)
    weights = torch.cat([p.detach().flatten() for p in network.parameters()])
    return weights.tolist(), [asdict(epoch) for epoch in state.history]


if __name__ == "__main__":
    path = Path(sys.argv[1])
    request = json.loads(path.read_text())
    torch.set_num_threads(1)
    with joined_processes() as joined:
        answer = trained(request["dataset"], FitSettings(**request["settings"]), joined)
        (path.parent / f"rank{joined.rank}.json").write_text(json.dumps(answer))
