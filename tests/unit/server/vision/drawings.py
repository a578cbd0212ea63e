"""Drawings for tests: strokes, and exact pictures of them as cameras and canvases deliver them."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from haleganada_server.core.glyphs.types import Ink, Stroke
from numpy.typing import NDArray
from PIL import Image

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]


def stroke(*points: tuple[float, float]) -> Stroke:
    return Stroke(tuple(x for x, _ in points), tuple(y for _, y in points))


def curve(x: Floats, y: Floats) -> Stroke:
    return Stroke(tuple(x.tolist()), tuple(y.tolist()))


def letter(pen: float = 10.0, side: float = 280.0, at: tuple[float, float] = (0.5, 0.5), size: float = 0.6) -> Ink:
    """Return a loop with a tail, a bar that crosses it, and a dot: curves, corners, a crossing and a small part.

    at, size: its center and longer side as shares of the canvas's side.
    """
    t = np.linspace(0.1 * np.pi, 2.2 * np.pi, 60)
    turn = [(0.30 * np.cos(t) - 0.1, 0.38 * np.sin(t) + 0.12)]
    corner = [(np.array([-0.45, 0.45, 0.2]), np.array([-0.05, -0.2, 0.5]))]
    dot = [(np.array([0.32]), np.array([-0.45]))]
    strokes = [curve(side * (at[0] + size * x), side * (at[1] + size * y)) for x, y in turn + corner + dot]
    return Ink(tuple(strokes), side, side, pen)


def coverage(ink: Ink, pixels: int) -> Floats:
    """Return the (pixels, pixels) share of each pixel that the pen covers, 0..1, by the distance to the nearest
    segment.
    """
    scale = pixels / ink.width
    centers = ((np.arange(pixels) + 0.5) / scale).astype(np.float32)
    x, y = np.meshgrid(centers, centers)
    nearest = np.full(x.shape, np.inf, np.float32)
    for line in ink.strokes:
        points = np.column_stack([line.x, line.y]).astype(np.float32)
        for a, b in zip(points, [*points[1:], points[-1]], strict=True):
            # only the pixels that the pen can reach: large pictures of many segments would take seconds
            low, high = np.minimum(a, b) - ink.pen_width - 3 / scale, np.maximum(a, b) + ink.pen_width + 3 / scale
            rows, columns = (slice(*np.searchsorted(centers, (low[axis], high[axis]))) for axis in (1, 0))
            dx, dy, step = x[rows, columns] - a[0], y[rows, columns] - a[1], b - a
            along = np.clip((dx * step[0] + dy * step[1]) / max(step @ step, 1e-12), 0, 1)
            away = np.hypot(dx - along * step[0], dy - along * step[1])
            nearest[rows, columns] = np.minimum(nearest[rows, columns], away)
    return np.asarray(np.clip((ink.pen_width / 2 - nearest) * scale + 0.5, 0, 1), dtype=np.float64)


def mix_gray(cover: Floats, ink: int = 0, paper: int = 255) -> Image.Image:
    """Return gray ink on gray paper."""
    return Image.fromarray((paper + (ink - paper) * cover).round().astype(np.uint8))


def transparent(cover: Floats, ink: tuple[int, int, int] = (0, 0, 0)) -> Image.Image:
    """Return ink on a transparent canvas, RGBA."""
    alpha = (cover * 255).round().astype(np.uint8)
    color = [np.full(cover.shape, value, np.uint8) * (alpha > 0) for value in ink]
    return Image.fromarray(np.stack([*color, alpha], -1).astype(np.uint8))


def photo(cover: Floats, seed: int = 0, ink: float = 0.25, noise: float = 5.0, paper: float = 215.0) -> Image.Image:
    """Return ink on paper in light that falls off to one side, with the edge of a shadow and sensor noise."""
    side = len(cover)
    x, y = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side))
    light = 1 - 0.35 * x - 0.1 * y
    light *= 1 - 0.25 / (1 + np.exp(-(x + 0.5 * y - 1.05) * 40))
    levels = paper * light * (1 - (1 - ink) * cover)
    levels += np.random.default_rng(seed).normal(0, noise, levels.shape)
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def encode_image(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@dataclass(frozen=True)
class Likeness:
    """difference: mean absolute, 0..1. overlap: intersection over union of the ink."""

    difference: float
    overlap: float

    def within(self, difference: float, overlap: float) -> bool:
        return self.difference <= difference and self.overlap >= overlap


def likeness(a: Gray, b: Gray) -> Likeness:
    strong_a, strong_b = a > 127, b > 127
    union = max(1, int((strong_a | strong_b).sum()))
    difference = float(np.abs(a.astype(np.float64) - b).mean() / 255)
    return Likeness(difference, float((strong_a & strong_b).sum() / union))
