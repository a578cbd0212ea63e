"""The exported graph computes what the network does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from haleganada_server.runtime.network import EmbedderNetwork, NetworkShape, build_network
from haleganada_server.training.common.checkpoint import read_tensors
from haleganada_server.training.export.half_precision import round_matrices
from haleganada_server.training.pretrain.release.export import build_onnx, export_network, open_session


@pytest.fixture
def network() -> EmbedderNetwork:
    """Return a network whose batch statistics are not the initial ones, so that folding matters."""
    network = build_network(NetworkShape(width=8, dim=16), seed=3)
    torch.manual_seed(0)
    for _ in range(3):
        network(torch.rand(8, 1, 64, 64))
    network.eval()
    return network


def ink(n: int) -> np.ndarray:
    return np.random.default_rng(n).random((n, 1, 64, 64), dtype=np.float32)


def test_both_files_hold_the_same_network(network: EmbedderNetwork, tmp_path: Path) -> None:
    assert export_network(network, tmp_path, ink(5)) < 1e-5
    tensors, metadata = read_tensors(tmp_path / "embedder.safetensors")
    loaded = EmbedderNetwork(NetworkShape(**{k: int(metadata[k]) for k in ("side", "width", "dim")}))
    loaded.load_state_dict(tensors, strict=True)
    with torch.inference_mode():
        expected = loaded.eval()(torch.from_numpy(ink(4))).numpy()
    session = open_session(tmp_path / "embedder.onnx")
    np.testing.assert_allclose(session.run(["embedding"], {"ink": ink(4)})[0], expected, atol=1e-5)


def test_matrices_beyond_half_precision_are_rejected(network: EmbedderNetwork) -> None:
    with pytest.raises(ValueError, match="half precision"):
        build_onnx(network)


def test_both_files_take_two_bytes_a_weight(network: EmbedderNetwork, tmp_path: Path) -> None:
    export_network(network, tmp_path, ink(1))
    weights = sum(p.numel() for p in network.parameters())
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * weights + 20_000
    onnx.checker.check_model(str(tmp_path / "embedder.onnx"), full_check=True)


def test_the_graph_needs_the_safetensors_file(network: EmbedderNetwork, tmp_path: Path) -> None:
    export_network(network, tmp_path, ink(1))
    (tmp_path / "embedder.safetensors").unlink()
    with pytest.raises(Exception, match=r"embedder\.safetensors"):
        open_session(tmp_path / "embedder.onnx")


def test_a_batch_equals_one_by_one(network: EmbedderNetwork) -> None:
    round_matrices(network)
    session = open_session(build_onnx(network).SerializeToString())
    together = session.run(["embedding"], {"ink": ink(6)})[0]
    single = np.concatenate([session.run(["embedding"], {"ink": one[None]})[0] for one in ink(6)])
    np.testing.assert_allclose(together, single, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_the_same_network_gives_the_same_bytes(network: EmbedderNetwork) -> None:
    round_matrices(network)
    assert build_onnx(network).SerializeToString() == build_onnx(network).SerializeToString()
