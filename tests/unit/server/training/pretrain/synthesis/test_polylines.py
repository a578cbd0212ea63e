"""Polylines: exact operations keep their shape, variations change it a little."""

from __future__ import annotations

import numpy as np
from haleganada_server.training.pretrain.synthesis.polylines import (
    Drawing,
    apply_pen_habits,
    jitter,
    resample,
    square_symmetry,
)


def two_strokes() -> Drawing:
    return Drawing.from_strokes([np.array([[0, 0], [2, 0], [4, 0]]), np.array([[1, 1], [1, 5]])])


def test_a_centered_box_has_side_one_around_zero() -> None:
    points = two_strokes().center().points
    assert np.ptp(points, axis=0).max() == 1
    np.testing.assert_allclose(points.min(0) + points.max(0), 0, atol=1e-6)


def test_strokes_are_kept() -> None:
    first, second = two_strokes().strokes()
    assert first.shape == (3, 2) and second.shape == (2, 2)
    np.testing.assert_array_equal(second, [[1, 1], [1, 5]])


def test_resampled_points_are_equally_far_apart() -> None:
    corner = resample(np.array([[0, 0], [0.1, 0], [1, 0], [1, 1]], float), 0.1)
    steps = np.hypot(*np.diff(corner, axis=0).T)
    assert len(corner) == 21
    assert steps.max() - np.median(steps) < 1e-5


def test_resampling_a_dot_gives_a_dot() -> None:
    assert np.ptp(resample(np.array([[3.0, 4.0]]), 0.1)) == 1
    assert len(resample(np.array([[3.0, 4.0]]), 0.1)) == 2


def test_eight_symmetries_are_different() -> None:
    symmetries = {tuple(square_symmetry(q, m).ravel()) for q in range(4) for m in (False, True)}
    assert len(symmetries) == 8


def test_jitter_keeps_strokes_and_moves_points_a_little() -> None:
    drawing = two_strokes().center()
    varied = jitter(drawing, np.random.default_rng(1))
    np.testing.assert_array_equal(varied.counts, drawing.counts)
    moved = np.abs(varied.points - drawing.points).max()
    assert 0 < moved < 0.35


def test_pen_habits_never_lose_all_ink() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        varied = apply_pen_habits(two_strokes().center(), rng)
        assert varied.counts.sum() == len(varied.points) >= 2
