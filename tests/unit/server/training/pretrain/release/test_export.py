"""The exported graph computes what the network does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from haleganada_server.runtime.graph_network import GraphNetwork
from haleganada_server.training.common.checkpoint import read_tensors
from haleganada_server.training.export.half_precision import round_matrices
from haleganada_server.training.pretrain.network import EmbedderNetwork, NetworkShape, build_network
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
    fidelity = export_network(network, tmp_path, ink(40))
    assert fidelity.difference < 1e-5
    tensors, metadata = read_tensors(tmp_path / "embedder.safetensors")
    loaded = EmbedderNetwork(NetworkShape(**{k: int(metadata[k]) for k in ("side", "width", "dim")}))
    loaded.load_state_dict(tensors, strict=True)
    with torch.inference_mode():
        expected = loaded.eval()(torch.from_numpy(ink(4))).numpy()
    found = open_session(tmp_path / "embedder.onnx").run(["embedding"], {"ink": ink(4)})[0]
    cosines = (found * expected).sum(axis=1)
    assert cosines.min() > 0.995 and fidelity.cosine > 0.995
    assert not np.allclose(found, expected, atol=1e-5), "it is in 8 bits"


def test_torch_computes_the_exported_graph(network: EmbedderNetwork, tmp_path: Path) -> None:
    export_network(network, tmp_path, ink(40))
    expected = open_session(tmp_path / "embedder.onnx").run(["embedding"], {"ink": ink(50)})[0]
    with torch.inference_mode():
        found = GraphNetwork(tmp_path / "embedder.onnx")(torch.from_numpy(ink(50))).numpy()
    assert (found * expected).sum(axis=1).min() > 0.9995
    assert np.isclose(found, expected, atol=1e-5).all(axis=1).mean() > 0.5, "the others have a value rounded otherwise"


def test_torch_computes_the_graph_of_older_weights(network: EmbedderNetwork, tmp_path: Path) -> None:
    round_matrices(network)
    (tmp_path / "embedder.onnx").write_bytes(build_onnx(network).SerializeToString())
    with torch.inference_mode():
        found = GraphNetwork(tmp_path / "embedder.onnx")(torch.from_numpy(ink(5)))
        torch.testing.assert_close(found, network(torch.from_numpy(ink(5))))


def test_torch_refuses_an_operator_that_it_does_not_know(tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n"])
    node = onnx.helper.make_node("Sin", ["x"], ["x2"])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "sine", [value], [])), tmp_path / "sine.onnx")
    with pytest.raises(ValueError, match="Sin"):
        GraphNetwork(tmp_path / "sine.onnx")


def test_matrices_beyond_half_precision_are_rejected(network: EmbedderNetwork) -> None:
    with pytest.raises(ValueError, match="half precision"):
        build_onnx(network)


def test_the_graph_takes_one_byte_a_weight_and_the_tensors_two(network: EmbedderNetwork, tmp_path: Path) -> None:
    export_network(network, tmp_path, ink(8))
    weights = sum(p.numel() for p in network.parameters())
    assert (tmp_path / "embedder.safetensors").stat().st_size < 2 * weights + 10_000
    assert (tmp_path / "embedder.onnx").stat().st_size < weights + 40_000
    onnx.checker.check_model(str(tmp_path / "embedder.onnx"), full_check=True)


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
