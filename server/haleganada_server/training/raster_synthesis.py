"""Synthetic ink: polylines and scanned drawings as (64, 64) uint8 rasters, 255 = ink.

The frame is the one of the product: the ink box's longest side is 80 % of the square and the box is centred.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.training.polylines import Drawing, hand_affine, jitter, pen_habits, wobble

SIDE = 64
INK_SIDE = 0.8 * SIDE
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


def fit(image: Raster) -> Raster:
    """A scanned drawing as it is: its ink box scaled to 80 % of the raster and centred."""
    left, top, right, bottom = ink_box(image)
    width, height = right - left + 1, bottom - top + 1
    scale = INK_SIDE / max(width, height)
    crop = image[top : bottom + 1, left : right + 1]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    out = np.zeros((SIDE, SIDE), np.uint8)
    y, x = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    out[y : y + size[1], x : x + size[0]] = small
    return out


def pen_width(rng: np.random.Generator) -> int:
    """Pen thickness in pixels of the doubled raster: 1.5 to 6 px of the raster, thin pens being commoner."""
    return int(np.clip(np.round(np.exp(rng.normal(1.65, 0.36))), 3, 12))


def frame_noise(rng: np.random.Generator) -> tuple[float, NDArray[np.float64]]:
    """How far the product's own framing may be off (a speck, a faint end): a scale and a shift in pixels (2,)."""
    return float(np.exp(rng.normal(-0.01, 0.035))), rng.normal(0, 0.012 * SIDE, 2)


def draw(drawing: Drawing, rng: np.random.Generator, strength: float = 1.0) -> Raster:
    """One human-like writing of a character given as polylines."""
    varied = pen_habits(jitter(drawing, rng, strength), rng)
    points = wobble(varied.points, rng, 0.022) @ hand_affine(rng).T
    return rasterise(Drawing(points.astype(np.float32), varied.counts), pen_width(rng), *frame_noise(rng))


def rasterise(drawing: Drawing, pen: int, scale: float, shift: NDArray[np.floating]) -> Raster:
    """Polylines as a raster; `pen` in doubled pixels, `scale` times the standard frame, `shift` in pixels."""
    low, high = drawing.points.min(0), drawing.points.max(0)
    # The pen's own thickness belongs to the ink box, hence the line's box is smaller by it.
    room = INK_SIDE * SUPER * scale - pen
    points = (drawing.points - (low + high) / 2) * (room / max(float((high - low).max()), 1e-3))
    points = points + (SIDE / 2 + shift) * SUPER - 0.5
    fixed = np.round(points * (1 << SHIFT_BITS)).astype(np.int32)[:, None, :]
    canvas = np.zeros((SIDE * SUPER, SIDE * SUPER), np.uint8)
    cv2.polylines(canvas, np.split(fixed, np.cumsum(drawing.counts)[:-1]), False, 255, pen, cv2.LINE_AA, SHIFT_BITS)
    return np.asarray(cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


_ROW, _COLUMN = np.mgrid[:SIDE, :SIDE].astype(np.float32)


def warp(image: Raster, rng: np.random.Generator, symmetry: NDArray[np.float64]) -> Raster:
    """A scanned drawing by another hand: symmetry (2, 2), slant, aspect, bending and pen width changed."""
    source = _thickened(image, rng)
    left, top, right, bottom = ink_box(source)
    centre = np.array([left + right, top + bottom]) / 2
    matrix = hand_affine(rng) @ symmetry
    ys, xs = np.nonzero(source > 64)
    box = np.ptp((np.stack([xs, ys], 1) - centre) @ matrix.T, axis=0) if len(xs) else np.array([1.0, 1.0])
    scale, shift = frame_noise(rng)
    zoom = INK_SIDE * scale / max(float(box.max()), 1.0)
    if zoom < 0.75:
        source = np.asarray(cv2.GaussianBlur(source, (3, 3), 0), np.uint8)
    back = np.linalg.inv(matrix * zoom).astype(np.float32)
    x, y = _COLUMN - np.float32(SIDE / 2 + shift[0]), _ROW - np.float32(SIDE / 2 + shift[1])
    bend = rng.normal(0, 0.03 * max(right - left, bottom - top), (2, 4, 4)).astype(np.float32)
    bx, by = (cv2.resize(b, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for b in bend)
    map_x = back[0, 0] * x + back[0, 1] * y + np.float32(centre[0]) + bx
    map_y = back[1, 0] * x + back[1, 1] * y + np.float32(centre[1]) + by
    return np.asarray(cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR), np.uint8)


def _thickened(image: Raster, rng: np.random.Generator) -> Raster:
    """Ink grown by up to a thirtieth of its box: more would fill the small loops."""
    left, top, right, bottom = ink_box(image)
    size = int(rng.integers(1, 2 + max(right - left, bottom - top) // 30))
    return np.asarray(cv2.dilate(image, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)
