"""Run by torchrun in test_process_group.py: train a network whose result does not depend on how batches are divided."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.process_exit import exit_process
from haleganada_server.training.common.process_group import ProcessGroup, join_process_group
from haleganada_server.training.common.training_data import read_dataset
from haleganada_server.training.fit.epoch_loop import TrainingHooks
from haleganada_server.training.fit.loop import TrainingLoop
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.fit.state import TrainingState, build_optimizer
from torch import nn

Answer = tuple[list[float], list[dict[str, float]]]


def train(dataset: dict[str, object], settings: TrainingSettings, group: ProcessGroup) -> Answer:
    """Return all weights after the last epoch, and the history. The first epoch trains only the last layer."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.ReLU(), nn.Flatten())
    network.add_module("decoder", nn.Linear(196, 3))
    state = TrainingState(network, build_optimizer(network.parameters(), settings))
    loop = TrainingLoop(
        state=state,
        data=read_dataset(dataset),
        settings=settings,
        ink=InkInput(16, group.device),
        group=group,
        head=network[3].parameters(),
        hooks=TrainingHooks(lambda _: None, lambda: False),
    )
    while not state.is_over(settings):
        epoch = loop.run_epoch()
        assert epoch is not None
        state.add_epoch(epoch, has_validation=True)
    weights = torch.cat([p.detach().flatten() for p in network.parameters()])
    return weights.tolist(), [asdict(epoch) for epoch in state.history]


if __name__ == "__main__":
    path = Path(sys.argv[1])
    request = json.loads(path.read_text())
    torch.set_num_threads(1)
    with join_process_group() as joined:
        answers = [train(request["dataset"], TrainingSettings(**chosen), joined) for chosen in request["settings"]]
        (path.parent / f"rank{joined.rank}.json").write_text(json.dumps(answers))
    exit_process(0)
