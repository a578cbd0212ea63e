"""The networks of the presets: shapes, sizes, and first and last layers."""

from __future__ import annotations

import pytest
import torch
from haleganada_server.core.models.presets import PRESET_FACTS
from haleganada_server.training.presets import PRESETS, Preset, count_parameters
from haleganada_server.training.presets.decoder import expand_linear
from haleganada_server.training.presets.normalization import Normalize
from haleganada_server.training.presets.transformer import EncoderLayer
from torch import nn


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_preset_has_the_parameters_that_it_lists_and_takes_ink_of_its_side(preset: Preset) -> None:
    outputs = 37 if preset.facts.line else 36
    network = preset.build(outputs, {}, None).eval()
    assert count_parameters(network) == preset.facts.parameters
    side = preset.preprocessing.side
    with torch.inference_mode():
        if preset.facts.line:
            assert network(torch.rand(2, 1, side, 128)).shape[::2] == (2, outputs)
        else:
            assert network(torch.rand(2, 1, side, side)).shape == (2, outputs)


def test_every_preset_that_is_listed_can_be_built() -> None:
    assert {name: preset.facts for name, preset in PRESETS.items()} == PRESET_FACTS


def test_the_head_is_the_last_layer() -> None:
    preset = PRESETS["resnet18"]
    network = preset.build(7, {}, None)
    assert [tuple(parameter.shape) for parameter in preset.head_parameters(network)] == [(7, 512), (7,)]


def test_weights_follow_from_the_seed() -> None:
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        states.append(PRESETS["cnn36"].build(5, {}, None).state_dict()["decoder.weight"])
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_imagenet_networks_see_dark_ink_on_white() -> None:
    preprocessing = PRESET_FACTS["resnet18-imagenet"].preprocessing
    ink = torch.zeros(1, 1, 2, 2)
    ink[0, 0, 0, 0] = 1
    seen = Normalize(preprocessing)(ink)
    assert seen.shape == (1, 3, 2, 2)
    mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    assert torch.allclose(seen[0, :, 0, 0], -mean / std)
    assert torch.allclose(seen[0, :, 1, 1], (1 - mean) / std)


def test_networks_from_scratch_see_ink_unchanged() -> None:
    ink = torch.rand(2, 1, 32, 32)
    assert torch.equal(Normalize(PRESET_FACTS["cnn36"].preprocessing)(ink), ink)


def test_the_encoder_layer_equals_torchs() -> None:
    torch.manual_seed(0)
    layer = EncoderLayer(32, heads=4, inner=64, dropout=0.1).eval()
    reference = nn.TransformerEncoderLayer(32, 4, 64, norm_first=True, batch_first=True).eval()
    pairs = {
        "self_attn.in_proj_": layer.queries_keys_values,
        "self_attn.out_proj.": layer.out,
        "linear1.": layer.dense[0],
        "linear2.": layer.dense[3],
        "norm1.": layer.norm_attention,
        "norm2.": layer.norm_dense,
    }
    for module in pairs.values():
        assert isinstance(module.bias, nn.Parameter)
        nn.init.normal_(module.bias)
    state = {
        prefix + kind: module.state_dict()[kind] for prefix, module in pairs.items() for kind in ("weight", "bias")
    }
    reference.load_state_dict(state)
    tokens = torch.randn(3, 49, 32)
    with torch.no_grad():
        assert torch.allclose(layer(tokens), reference(tokens), atol=1e-5)


def test_an_expanded_layer_keeps_its_rows_bit_for_bit() -> None:
    layer = nn.Linear(8, 3)
    larger = expand_linear(layer, 5)
    assert torch.equal(larger.weight[:3], layer.weight)
    assert torch.equal(larger.bias[:3], layer.bias)
    assert larger.weight.shape == (5, 8)
    assert larger.weight.requires_grad


def test_a_layer_never_shrinks() -> None:
    with pytest.raises(ValueError, match="never given up"):
        expand_linear(nn.Linear(8, 3), 2)
