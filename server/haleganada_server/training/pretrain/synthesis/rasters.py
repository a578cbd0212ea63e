"""Synthetic ink: polylines and scanned drawings as (side, side) uint8 rasters, 255 = ink.

The frame is the one of the product: the ink box's longest side is 80 % of the square and the box is centered. Pens,
and what is off by chance, are as large in relation to the square whatever its side.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .polylines import Drawing, hand_affine, jitter, pen_habits, wobble

SIDE = 64
"""Of a raster, unless another one is asked for."""
INK_SHARE = 0.8
SUPER = 2
"""Rasters are drawn twice as large and averaged down: OpenCV's pens have whole pixels only."""
SHIFT_BITS = 4
Raster = NDArray[np.uint8]


def ink_box(image: Raster, threshold: int = 64) -> tuple[int, int, int, int]:
    """(left, top, right, bottom), both ends inclusive, of the pixels above the threshold, or of all."""
    xs = np.flatnonzero((image > threshold).any(0))
    ys = np.flatnonzero((image > threshold).any(1))
    if not len(xs):
        return 0, 0, image.shape[1] - 1, image.shape[0] - 1
    return int(xs[0]), int(ys[0]), int(xs[-1]), int(ys[-1])


def fit(image: Raster, side: int = SIDE) -> Raster:
    """A scanned drawing as it is: its ink box scaled to 80 % of the raster and centered."""
    left, top, right, bottom = ink_box(image)
    width, height = right - left + 1, bottom - top + 1
    scale = INK_SHARE * side / max(width, height)
    crop = image[top : bottom + 1, left : right + 1]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    out = np.zeros((side, side), np.uint8)
    y, x = (side - size[1]) // 2, (side - size[0]) // 2
    out[y : y + size[1], x : x + size[0]] = small
    return out


def pen_width(rng: np.random.Generator, side: int = SIDE) -> int:
    """Pen thickness in pixels of the doubled raster: 2.3 to 9.4 % of the raster, thin pens being commoner."""
    larger = side / SIDE
    return round(float(np.clip(np.round(np.exp(rng.normal(1.65, 0.36)) * larger), 3 * larger, 12 * larger)))


def frame_noise(rng: np.random.Generator, side: int = SIDE) -> tuple[float, NDArray[np.float64]]:
    """How far the product's own framing may be off (a speck, a faint end): a scale and a shift in pixels (2,)."""
    return float(np.exp(rng.normal(-0.01, 0.035))), rng.normal(0, 0.012 * side, 2)


def draw(drawing: Drawing, rng: np.random.Generator, strength: float = 1.0, side: int = SIDE) -> Raster:
    """One human-like writing of a character given as polylines."""
    varied = pen_habits(jitter(drawing, rng, strength), rng)
    points = wobble(varied.points, rng, 0.022) @ hand_affine(rng).T
    varied = Drawing(points.astype(np.float32), varied.counts)
    return rasterise(varied, pen_width(rng, side), *frame_noise(rng, side), side)


def rasterise(drawing: Drawing, pen: int, scale: float, shift: NDArray[np.floating], side: int = SIDE) -> Raster:
    """Polylines as a raster; `pen` in doubled pixels, `scale` times the standard frame, `shift` in pixels."""
    low, high = drawing.points.min(0), drawing.points.max(0)
    # The pen's own thickness belongs to the ink box, hence the line's box is smaller by it.
    room = INK_SHARE * side * SUPER * scale - pen
    points = (drawing.points - (low + high) / 2) * (room / max(float((high - low).max()), 1e-3))
    points = points + (side / 2 + shift) * SUPER - 0.5
    fixed = np.round(points * (1 << SHIFT_BITS)).astype(np.int32)[:, None, :]
    canvas = np.zeros((side * SUPER, side * SUPER), np.uint8)
    cv2.polylines(canvas, np.split(fixed, np.cumsum(drawing.counts)[:-1]), False, 255, pen, cv2.LINE_AA, SHIFT_BITS)
    return np.asarray(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@cache
def _places(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Row and column of each pixel, (side, side) float32: the same for every drawing, so made once."""
    row, column = np.mgrid[:side, :side].astype(np.float32)
    return row, column


def warp(image: Raster, rng: np.random.Generator, symmetry: NDArray[np.float64], side: int = SIDE) -> Raster:
    """A scanned drawing by another hand: symmetry (2, 2), slant, aspect, bending and pen width changed."""
    source = _thickened(image, rng)
    left, top, right, bottom = ink_box(source)
    center = np.array([left + right, top + bottom]) / 2
    matrix = hand_affine(rng) @ symmetry
    ys, xs = np.nonzero(source > 64)
    box = np.ptp((np.stack([xs, ys], 1) - center) @ matrix.T, axis=0) if len(xs) else np.array([1.0, 1.0])
    scale, shift = frame_noise(rng, side)
    zoom = INK_SHARE * side * scale / max(float(box.max()), 1.0)
    if zoom < 0.75:
        source = np.asarray(cv2.GaussianBlur(source, (3, 3), 0), np.uint8)
    back = np.linalg.inv(matrix * zoom).astype(np.float32)
    row, column = _places(side)
    x, y = column - np.float32(side / 2 + shift[0]), row - np.float32(side / 2 + shift[1])
    bend = rng.normal(0, 0.03 * max(right - left, bottom - top), (2, 4, 4)).astype(np.float32)
    bx, by = (cv2.resize(b, (side, side), interpolation=cv2.INTER_CUBIC) for b in bend)
    map_x = back[0, 0] * x + back[0, 1] * y + np.float32(center[0]) + bx
    map_y = back[1, 0] * x + back[1, 1] * y + np.float32(center[1]) + by
    return np.asarray(cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR), np.uint8)


def _thickened(image: Raster, rng: np.random.Generator) -> Raster:
    """Ink grown by up to a thirtieth of its box: more would fill the small loops."""
    left, top, right, bottom = ink_box(image)
    size = int(rng.integers(1, 2 + max(right - left, bottom - top) // 30))
    return np.asarray(cv2.dilate(image, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)
