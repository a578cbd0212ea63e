"""The mean of two ends of one run.

Where the learning rate rises again after it had fallen to nothing, the run goes on to another end, about as good. The
network in the middle between both is better than either, and costs no more (Izmailov et al., "Averaging Weights Leads
to Wider Optima and Better Generalization", UAI 2018).
"""

from __future__ import annotations

import torch

from haleganada_server.runtime.network import EmbedderNetwork, build_network


@torch.no_grad()
def averaged(one: EmbedderNetwork, other: EmbedderNetwork) -> EmbedderNetwork:
    """A network with the mean of all weights and running statistics, for inference. Raises ValueError for networks of
    different shapes.
    """
    if one.shape != other.shape:
        raise ValueError(f"the networks have different shapes, {one.shape} and {other.shape}; average ends of one run")
    mean = build_network(one.shape)
    theirs = other.state_dict()
    mean.load_state_dict(
        {name: torch.lerp(x, theirs[name], 0.5) if x.is_floating_point() else x for name, x in one.state_dict().items()}
    )
    mean.eval()
    return mean
