"""Shapes are traced into the strokes that a hand would make."""

from __future__ import annotations

import cv2
import numpy as np
from haleganada_server.training.pretrain.synthesis.tracing import trace


def draw(*lines: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    image = np.zeros((100, 100), np.uint8)
    for a, b in lines:
        cv2.line(image, a, b, 255, 7)
    return image > 0


def test_a_cross_is_two_strokes_through_the_middle() -> None:
    drawing = trace(draw(((10, 50), (90, 50)), ((50, 10), (50, 90))))
    assert drawing is not None
    assert len(drawing.counts) == 2
    for stroke in drawing.strokes():
        assert np.ptp(stroke, axis=0).max() > 0.8


def test_a_ring_is_closed() -> None:
    image = np.zeros((100, 100), np.uint8)
    cv2.circle(image, (50, 50), 35, 255, 6)
    drawing = trace(image > 0)
    assert drawing is not None
    stroke = max(drawing.strokes(), key=len)
    assert np.hypot(*(stroke[0] - stroke[-1])) < 0.1


def test_a_corner_is_kept() -> None:
    drawing = trace(draw(((10, 10), (10, 90)), ((10, 90), (90, 90))))
    assert drawing is not None
    np.testing.assert_allclose(np.ptp(drawing.points, axis=0), 1, atol=0.1)


def test_a_blank_shape_has_no_trace() -> None:
    assert trace(np.zeros((50, 50), bool)) is None


def test_a_dot_by_itself_is_kept() -> None:
    image = draw(((10, 50), (90, 50)))
    image[19:24, 48:53] = True  # its skeleton is one pixel
    drawing = trace(image)
    assert drawing is not None
    assert len(drawing.counts) == 2
    dot = min(drawing.strokes(), key=lambda stroke: float(np.ptp(stroke)))
    assert dot[:, 1].max() < 0
