"""Matrices in half precision: rounding is deliberate, storing is exact."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from haleganada_server.training.export.half_precision import compact, compact_graph, round_matrices
from onnx import TensorProto, helper, numpy_helper
from torch import nn


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)).eval()


def test_only_matrices_are_rounded(network: nn.Module) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    round_matrices(network)
    for name, tensor in network.state_dict().items():
        if tensor.ndim > 1:
            assert not torch.equal(tensor, before[name])
            torch.testing.assert_close(tensor, before[name], rtol=2**-10, atol=1e-7)
        else:
            assert torch.equal(tensor, before[name])


def test_a_matrix_beyond_the_range_of_half_precision_stays(network: nn.Module) -> None:
    with torch.no_grad():
        network[0].weight[0, 0] = 1e6
    before = network[0].weight.clone()
    round_matrices(network)
    assert torch.equal(network[0].weight, before)


def test_a_compact_state_loads_as_the_same_network(network: nn.Module) -> None:
    exact = compact(network.state_dict())
    assert all(tensor.dtype != torch.float16 for tensor in exact.values())
    round_matrices(network)
    small = compact(network.state_dict())
    assert {name for name, tensor in small.items() if tensor.dtype == torch.float16} == {"0.weight", "2.weight"}
    other = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)).eval()
    other.load_state_dict(small)
    drawing = torch.rand(4, 6)
    assert other[0].weight.dtype == torch.float32
    assert torch.equal(other(drawing), network(drawing))


def test_a_compact_graph_computes_the_same() -> None:
    rng = np.random.default_rng(0)
    exact = rng.normal(size=(3, 4)).astype(np.float16).astype(np.float32)
    other = rng.normal(size=(3, 4)).astype(np.float32)
    model = _build_sum(exact, other)
    x = rng.normal(size=(3, 3)).astype(np.float32)
    before = _run(model, x)
    compact_graph(model)
    onnx.checker.check_model(model)
    assert [constant.data_type for constant in model.graph.initializer] == [TensorProto.FLOAT16, TensorProto.FLOAT]
    np.testing.assert_array_equal(_run(model, x), before)


def test_a_rounded_graph_computes_nearly_the_same() -> None:
    weights = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    large = np.full((3, 4), 1e6, np.float32)
    for constant, kind in ((weights, TensorProto.FLOAT16), (large, TensorProto.FLOAT)):
        model = _build_sum(weights, constant)
        before = _run(model, x := np.ones((3, 3), np.float32))
        compact_graph(model, rounded=True)
        assert [stored.data_type for stored in model.graph.initializer] == [TensorProto.FLOAT16, kind]
        np.testing.assert_allclose(_run(model, x), before, rtol=2**-9, atol=2**-8)


def _build_sum(first: np.ndarray, second: np.ndarray) -> onnx.ModelProto:
    """Return a graph from x (3, 3) to z (3, 4): x times the first matrix, plus the second."""
    constants = [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")]
    nodes = [helper.make_node("MatMul", ["x", "first"], ["y"]), helper.make_node("Add", ["y", "second"], ["z"])]
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3, n]) for name, n in (("x", 3), ("z", 4))]
    return helper.make_model(
        helper.make_graph(nodes, "sum", shapes[:1], shapes[1:], constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


def _run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["z"], {"x": x})[0])
