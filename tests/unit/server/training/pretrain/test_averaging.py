"""Averages of two networks."""

from __future__ import annotations

import pytest
import torch
from haleganada_server.training.pretrain.averaging import average_networks
from haleganada_server.training.pretrain.network import NetworkShape, build_network

SMALL = NetworkShape(width=4, dim=8)


def test_every_weight_is_the_mean_and_the_networks_do_not_change() -> None:
    one, other = build_network(SMALL, seed=1), build_network(SMALL, seed=2)
    before = {name: x.clone() for name, x in one.state_dict().items()}
    mean = average_networks(one, other).state_dict()
    for name, x in one.state_dict().items():
        assert torch.equal(x, before[name])
        if x.is_floating_point():
            torch.testing.assert_close(mean[name], (x + other.state_dict()[name]) / 2)


def test_averaging_a_network_with_itself_changes_nothing() -> None:
    network = build_network(SMALL, seed=3).eval()
    ink = torch.rand(2, 1, network.shape.side, network.shape.side)
    with torch.no_grad():
        torch.testing.assert_close(average_networks(network, network)(ink), network(ink))


def test_networks_of_different_shapes_are_rejected() -> None:
    with pytest.raises(ValueError, match="average checkpoints of one run"):
        average_networks(build_network(SMALL), build_network(NetworkShape(width=5, dim=8)))
