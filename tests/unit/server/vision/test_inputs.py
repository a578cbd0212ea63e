"""Ink rasters as networks take them."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.vision import (
    model_input,
    network_input,
)

_RASTERS = np.random.default_rng(0).integers(0, 256, (3, 128, 128), dtype=np.uint8)


def test_the_network_sees_the_mean_of_two_by_two_pixels() -> None:
    seen = network_input(_RASTERS, 64)
    assert seen.shape == (3, 1, 64, 64)
    assert seen.dtype == np.float32
    means = _RASTERS.reshape(3, 64, 2, 64, 2).mean((2, 4)) / 255
    assert np.abs(seen[:, 0] - means).max() < 1e-6


@pytest.mark.parametrize("side", [1, 4, 28, 32, 56, 96, 128, 200])
def test_any_side_keeps_the_amount_of_ink(side: int) -> None:
    seen = network_input(_RASTERS, side)
    assert seen.shape == (3, 1, side, side)
    assert np.allclose(seen.mean((1, 2, 3)), _RASTERS.mean((1, 2)) / 255, atol=1e-5)
    assert seen.min() >= 0
    assert seen.max() <= 1 + 1e-6


def test_areas_are_exact_where_pixels_are_divided() -> None:
    raster = np.zeros((1, 128, 128), np.uint8)
    raster[0, 0, 1] = 255  # 128 / 96 = 4/3: a third of it belongs to the first column, the rest to the second
    seen = network_input(raster, 96)[0, 0]
    area = (4 / 3) ** 2
    assert seen[0, :3] == pytest.approx([1 / 3 / area, 2 / 3 / area, 0], abs=1e-6)


def test_no_rasters_give_no_input() -> None:
    assert network_input(_RASTERS[:0], 64).shape == (0, 1, 64, 64)


def test_one_by_one_equals_together() -> None:
    for side in (64, 96):
        single = np.concatenate([network_input(_RASTERS[i : i + 1], side) for i in range(3)])
        assert np.array_equal(single, network_input(_RASTERS, side))


@pytest.mark.parametrize("side", [28, 32, 48, 64, 96, 224])
def test_a_model_sees_the_same_in_a_drawing_and_in_the_stored_half_of_it(side: int) -> None:
    stored = np.rint(network_input(_RASTERS, 64)[:, 0] * 255).astype(np.uint8)
    seen = model_input(_RASTERS, side)
    assert seen.shape == (3, 1, side, side)
    assert seen.dtype == np.float32
    assert np.abs(seen - model_input(stored, side)).max() <= 0.5 / 255 + 1e-6
    assert seen.min() >= 0
    assert seen.max() <= 1 + 1e-6


def test_a_model_with_a_large_input_sees_a_smooth_enlargement() -> None:
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8), (1, 64, 64))
    seen = model_input(ramp, 128)[0, 0] * 255
    assert seen[5, :4] == pytest.approx([0, 0.25, 0.75, 1.25], abs=1e-4)
    assert seen[5, -2:] == pytest.approx([62.75, 63], abs=1e-4)


def test_weights_that_are_kept_for_later_calls_change_no_bit() -> None:
    edges, old = np.arange(81) * 1.6, np.arange(128)
    overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    weights = (np.clip(overlap, 0, None) * (80 / 128)).astype(np.float32)
    columns = np.ascontiguousarray(weights.T)
    expected = np.stack([weights @ (raster * np.float32(1 / 255)) @ columns for raster in _RASTERS])
    for _ in range(2):
        assert np.array_equal(network_input(_RASTERS, 80)[:, 0], expected)
        network_input(_RASTERS, 96)
