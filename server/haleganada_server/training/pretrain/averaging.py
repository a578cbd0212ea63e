"""Average two checkpoints of one run.

If the learning rate rises again after it has fallen to zero, the run ends at another checkpoint, about as good. The
mean of both networks is better than either and costs no more (Izmailov et al., "Averaging Weights Leads to Wider Optima
and Better Generalization", UAI 2018).
"""

from __future__ import annotations

import torch

from haleganada_server.training.pretrain.network import EmbedderNetwork, build_network


@torch.no_grad()
def average_networks(one: EmbedderNetwork, other: EmbedderNetwork) -> EmbedderNetwork:
    """Return a network with the mean of all weights and running statistics, in evaluation mode.

    Raises ValueError if the shapes differ.
    """
    if one.shape != other.shape:
        raise ValueError(f"shapes {one.shape} and {other.shape} differ; average checkpoints of one run")
    mean = build_network(one.shape)
    second = other.state_dict()
    mean.load_state_dict(
        {name: torch.lerp(x, second[name], 0.5) if x.is_floating_point() else x for name, x in one.state_dict().items()}
    )
    mean.eval()
    return mean
