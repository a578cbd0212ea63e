"""Synthetic ink is framed as by the server."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.training.pretrain.synthesis.polylines import Drawing
from haleganada_server.training.pretrain.synthesis.rasters import (
    INK_SHARE,
    SIDE,
    draw,
    find_ink_box,
    frame_scan,
    random_pen_width,
    rasterize,
    warp,
)


@pytest.mark.parametrize("side", [64, 80])
@pytest.mark.parametrize("pen", [3, 7, 12])
def test_ink_box_includes_the_pen_and_is_centered(pen: int, side: int) -> None:
    line = Drawing.from_strokes([np.array([[0, 0], [1, 0.5]]), np.array([[0, 0.5], [1, 0]])])
    left, top, right, bottom = find_ink_box(rasterize(line, pen, 1.0, np.zeros(2), side))
    assert abs(right - left + 1 - INK_SHARE * side) <= 2.5
    assert abs((left + right) / 2 - (side - 1) / 2) <= 1
    assert abs((top + bottom) / 2 - (side - 1) / 2) <= 1


def test_pens_are_between_one_and_a_half_and_six_pixels() -> None:
    rng = np.random.default_rng(0)
    widths = {random_pen_width(rng) for _ in range(2000)}
    assert min(widths) >= 3 and max(widths) <= 12 and len(widths) >= 8


def test_frame_scan_scales_to_four_fifths_and_centers() -> None:
    image = np.zeros((105, 105), np.uint8)
    image[10:20, 5:45] = 255
    left, top, right, bottom = find_ink_box(frame_scan(image))
    assert right - left + 1 == round(INK_SHARE * SIDE)
    assert abs(left + right - (SIDE - 1)) <= 1 and abs(top + bottom - (SIDE - 1)) <= 1


def test_drawings_differ_by_seed() -> None:
    shape = Drawing.from_strokes([np.array([[0, 0], [0.5, 1], [1, 0]])]).center()
    first = draw(shape, np.random.default_rng(3))
    assert (first == draw(shape, np.random.default_rng(3))).all()
    assert (first != draw(shape, np.random.default_rng(4))).any()


def test_warping_keeps_ink_inside() -> None:
    image = np.zeros((105, 105), np.uint8)
    image[20:80, 48:52] = 255
    image[48:52, 20:80] = 255
    for seed in range(20):
        out = warp(image, np.random.default_rng(seed), np.eye(2))
        left, top, right, bottom = find_ink_box(out)
        assert 38 <= max(right - left, bottom - top) + 1 <= SIDE
