"""The frozen backbone, and the transformer over its features."""

from __future__ import annotations

import pytest
import torch
from haleganada_server.core.errors import InvalidInput
from haleganada_server.training.presets.resnet50_transformer import ResNet50Transformer, build
from torch import Tensor, nn

INK = torch.rand(2, 1, 224, 224, generator=torch.Generator().manual_seed(3))


def copy_state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def are_equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def train_some_steps(network: ResNet50Transformer, steps: int = 3) -> None:
    """Train carelessly: everything in training mode, all parameters in the optimizer."""
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(INK), torch.tensor([0, 1])).backward()
        optimizer.step()


@pytest.mark.parametrize(("backbone", "channels"), [("resnet18", 512), ("efficientnet-lite0", 1280)])
def test_frozen_means_frozen(backbone: str, channels: int) -> None:
    torch.manual_seed(0)
    network = build(4, {"backbone": backbone}, None)
    before, features = copy_state(network), network.features(INK)
    assert features.shape == (2, 49, channels)
    train_some_steps(network)
    after = copy_state(network)
    frozen = {name for name in before if name.startswith("backbone.")}
    assert frozen
    assert are_equal({name: before[name] for name in frozen}, {name: after[name] for name in frozen})
    assert torch.equal(network.features(INK), features)
    assert all(not torch.equal(before[name], after[name]) for name in before.keys() - frozen)


def test_the_backbone_is_never_in_training_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a moment: copies that predict in another thread share it, and its running averages would change."""
    network = build(4, {"backbone": "resnet18"}, None)
    norm, seen = network.backbone.get_submodule("bn1"), list[bool]()

    def train(mode: bool = True) -> nn.Module:
        seen.append(mode)
        return norm

    monkeypatch.setattr(norm, "train", train)
    network.train()
    assert network.training and network.encoder.training and not network.backbone.training
    assert True not in seen


def test_cached_features_give_the_predictions_of_the_drawing_itself() -> None:
    network = build(4, {"backbone": "resnet18"}, None).eval()
    with torch.no_grad():
        assert torch.equal(network.classify(network.features(INK)), network(INK))


def test_tokens_are_the_cells_of_the_feature_map_row_by_row() -> None:
    network = build(4, {"backbone": "resnet18"}, None)
    with torch.no_grad():
        maps = network.backbone(network.normalize(INK))
    assert torch.equal(network.features(INK)[:, 7 * 2 + 5], maps[:, :, 2, 5])


def test_new_classes_leave_the_logits_of_the_others_alone() -> None:
    network = build(3, {"backbone": "resnet18"}, None).eval()
    features = network.features(INK)
    with torch.no_grad():
        before = network.classify(features)
        network.expand_decoder(5)
        after = network.classify(features)
    assert after.shape == (2, 5)
    assert torch.allclose(after[:, :3], before, atol=1e-6)


def test_the_error_for_an_unknown_backbone_lists_all() -> None:
    with pytest.raises(InvalidInput, match=r"vgg.*resnet50, resnet18, efficientnet-lite0"):
        build(3, {"backbone": "vgg"}, None)
