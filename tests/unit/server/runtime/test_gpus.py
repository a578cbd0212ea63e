"""Why a GPU is not used."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from haleganada_server.core.errors import Precondition
from haleganada_server.runtime import gpus, select
from haleganada_server.runtime.gpus import Gpus, explain_torch, find_gpus, has_nvidia_gpu
from haleganada_server.runtime.select import Selected, select_embedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import network_input


def add_device(pci: Path, vendor: str, kind: str) -> None:
    device = pci / f"0000:{len(list(pci.iterdir())):02}:00.0"
    device.mkdir()
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{kind}\n")


@pytest.fixture
def pci(tmp_path: Path) -> Path:
    """A machine with a network card."""
    folder = tmp_path / "pci"
    folder.mkdir()
    add_device(folder, "0x8086", "0x020000")
    return folder


def test_a_gpu_is_found_without_its_driver(pci: Path) -> None:
    add_device(pci, "0x10de", "0x040300")  # which is only the sound of one
    add_device(pci, "0x1002", "0x030000")
    assert not has_nvidia_gpu(pci) and not has_nvidia_gpu(pci / "missing")
    add_device(pci, "0x10de", "0x030200")
    assert has_nvidia_gpu(pci)


def test_a_missing_driver_is_told_only_where_there_is_a_gpu(pci: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_LIBRARY", "libcuda-that-is-not-there.so")
    monkeypatch.setattr(gpus, "_PCI", pci)
    assert find_gpus() == Gpus()
    add_device(pci, "0x10de", "0x030000")
    found = find_gpus()
    assert found.count == 0 and "install NVIDIA's driver" in found.problem


def test_what_the_driver_refuses(pci: Path) -> None:
    assert gpus._explain_status(100, pci) == ""
    assert "CUDA error 803" in gpus._explain_status(803, pci)
    add_device(pci, "0x10de", "0x030000")
    assert "CUDA_VISIBLE_DEVICES" in gpus._explain_status(100, pci)


def test_torch_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "a GPU needs torch" in explain_torch()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.setattr("importlib.metadata.version", lambda _: "2.6.0+cpu")
    assert "built for the CPU alone" in explain_torch()
    monkeypatch.setattr("importlib.metadata.version", lambda _: "2.6.0+cu124")
    assert explain_torch() == ""


def choose(weights_dir: Path, device: str, found: Gpus) -> Selected:
    weights = load_weights(weights_dir)
    return select_embedder(weights, device, partial(network_input, side=weights.side), find=lambda: found)


def test_auto_takes_the_cpu_and_tells_why(weights_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(weights_dir, "auto", Gpus()).describe().note == ""
    monkeypatch.setattr(select, "explain_torch", lambda: "a GPU needs torch: pip install it")
    for found in (Gpus(2), Gpus(problem="a GPU needs torch: pip install it")):
        selected = choose(weights_dir, "auto", found)
        assert selected.embedder.device.startswith("cpu") and selected.describe().note.startswith("a GPU needs torch")


def test_what_was_asked_for_must_be_there(weights_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "explain_torch", lambda: "a GPU needs torch")
    for device, found, why in (
        ("cuda:1", Gpus(1), "1 CUDA device; choose"),
        ("cuda:0", Gpus(problem="its driver is missing"), "its driver is missing"),
        ("cuda:0,cuda:2", Gpus(2), "cuda:2"),
        ("cuda:0", Gpus(1), "a GPU needs torch"),
    ):
        with pytest.raises(Precondition, match=why):
            choose(weights_dir, device, found)
