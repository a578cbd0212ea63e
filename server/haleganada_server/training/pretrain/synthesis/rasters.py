"""Synthetic ink: polylines and scanned drawings as (side, side) uint8 rasters, 255 = ink.

Framing is that of the server: the longest side of the ink's box is 80 % of the square, and the box is centered. Pen
widths and random offsets scale with the square.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .polylines import Drawing, apply_pen_habits, jitter, random_affine, wobble

SIDE = 64
"""Default side of a raster in pixels."""
INK_SHARE = 0.8
SUPER = 2
"""Supersampling factor: OpenCV's pens have whole pixels only."""
SHIFT_BITS = 4
Raster = NDArray[np.uint8]


def find_ink_box(image: Raster, threshold: int = 64) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom), inclusive, of the pixels above the threshold, or of the image if none are."""
    xs = np.flatnonzero((image > threshold).any(0))
    ys = np.flatnonzero((image > threshold).any(1))
    if not len(xs):
        return 0, 0, image.shape[1] - 1, image.shape[0] - 1
    return int(xs[0]), int(ys[0]), int(xs[-1]), int(ys[-1])


def frame_scan(image: Raster, side: int = SIDE) -> Raster:
    """Scale a scan's ink box to 80 % of the raster and center it."""
    left, top, right, bottom = find_ink_box(image)
    width, height = right - left + 1, bottom - top + 1
    scale = INK_SHARE * side / max(width, height)
    crop = image[top : bottom + 1, left : right + 1]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    out = np.zeros((side, side), np.uint8)
    y, x = (side - size[1]) // 2, (side - size[0]) // 2
    out[y : y + size[1], x : x + size[0]] = small
    return out


def random_pen_width(rng: np.random.Generator, side: int = SIDE) -> int:
    """Return a pen width in pixels of the supersampled raster: 2.3 to 9.4 % of its side, thin pens more often."""
    larger = side / SIDE
    return round(float(np.clip(np.round(np.exp(rng.normal(1.65, 0.36)) * larger), 3 * larger, 12 * larger)))


def random_framing(rng: np.random.Generator, side: int = SIDE) -> tuple[float, NDArray[np.float64]]:
    """Return a random scale and shift in pixels, (2,): errors of the server's framing (a speck, a faint end)."""
    return float(np.exp(rng.normal(-0.01, 0.035))), rng.normal(0, 0.012 * side, 2)


def draw(drawing: Drawing, rng: np.random.Generator, strength: float = 1.0, side: int = SIDE) -> Raster:
    """Draw polylines as a hand would, with random variations."""
    varied = apply_pen_habits(jitter(drawing, rng, strength), rng)
    points = wobble(varied.points, rng, 0.022) @ random_affine(rng).T
    varied = Drawing(points.astype(np.float32), varied.counts)
    return rasterize(varied, random_pen_width(rng, side), *random_framing(rng, side), side)


def rasterize(drawing: Drawing, pen: int, scale: float, shift: NDArray[np.floating], side: int = SIDE) -> Raster:
    """Draw polylines as a raster. pen: in supersampled pixels. scale: of the standard frame. shift: in pixels."""
    low, high = drawing.points.min(0), drawing.points.max(0)
    # The ink box includes the pen's width, so the lines' box is smaller by that.
    room = INK_SHARE * side * SUPER * scale - pen
    points = (drawing.points - (low + high) / 2) * (room / max(float((high - low).max()), 1e-3))
    points = points + (side / 2 + shift) * SUPER - 0.5
    fixed = np.round(points * (1 << SHIFT_BITS)).astype(np.int32)[:, None, :]
    canvas = np.zeros((side * SUPER, side * SUPER), np.uint8)
    cv2.polylines(canvas, np.split(fixed, np.cumsum(drawing.counts)[:-1]), False, 255, pen, cv2.LINE_AA, SHIFT_BITS)
    return np.asarray(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@cache
def _pixel_grid(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return row and column of each pixel, (side, side) float32."""
    row, column = np.mgrid[:side, :side].astype(np.float32)
    return row, column


def warp(image: Raster, rng: np.random.Generator, symmetry: NDArray[np.float64], side: int = SIDE) -> Raster:
    """Warp a scan as if by another hand: symmetry (2, 2), slant, aspect, bend and pen width."""
    source = _thicken(image, rng)
    left, top, right, bottom = find_ink_box(source)
    center = np.array([left + right, top + bottom]) / 2
    matrix = random_affine(rng) @ symmetry
    ys, xs = np.nonzero(source > 64)
    box = np.ptp((np.stack([xs, ys], 1) - center) @ matrix.T, axis=0) if len(xs) else np.array([1.0, 1.0])
    scale, shift = random_framing(rng, side)
    zoom = INK_SHARE * side * scale / max(float(box.max()), 1.0)
    if zoom < 0.75:
        source = np.asarray(cv2.GaussianBlur(source, (3, 3), 0), np.uint8)
    back = np.linalg.inv(matrix * zoom).astype(np.float32)
    row, column = _pixel_grid(side)
    x, y = column - np.float32(side / 2 + shift[0]), row - np.float32(side / 2 + shift[1])
    bend = rng.normal(0, 0.03 * max(right - left, bottom - top), (2, 4, 4)).astype(np.float32)
    bx, by = (cv2.resize(b, (side, side), interpolation=cv2.INTER_CUBIC) for b in bend)
    map_x = back[0, 0] * x + back[0, 1] * y + np.float32(center[0]) + bx
    map_y = back[1, 0] * x + back[1, 1] * y + np.float32(center[1]) + by
    return np.asarray(cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR), np.uint8)


def _thicken(image: Raster, rng: np.random.Generator) -> Raster:
    """Grow ink by up to a thirtieth of its box; more would fill small loops."""
    left, top, right, bottom = find_ink_box(image)
    size = int(rng.integers(1, 2 + max(right - left, bottom - top) // 30))
    return np.asarray(cv2.dilate(image, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)
