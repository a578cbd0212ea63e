"""Drawings as polylines, and random variations of them as different hands produce.

A drawing is one array of points with the number of points in each stroke, so a few array operations vary a whole
drawing. Coordinates: x right, y down. The box of a centered drawing has its longest side 1 and its center at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Counts = NDArray[np.int32]
SQUASH = 0.3
"""Standard deviation of the log of each side if a form's box or a scanner's scaling squashed the drawing."""


@dataclass(frozen=True)
class Drawing:
    """The strokes of a drawing in one array."""

    points: Points
    """(p, 2)."""
    counts: Counts
    """(strokes,), summing to p."""

    @classmethod
    def from_strokes(cls, strokes: Sequence[NDArray[np.floating]]) -> Drawing:
        """Return a drawing of one or more strokes, (n, 2) each."""
        points = np.concatenate(strokes).astype(np.float32)
        return cls(points, np.array([len(s) for s in strokes], np.int32))

    def strokes(self) -> list[Points]:
        """Return the strokes as separate arrays."""
        return np.split(self.points, np.cumsum(self.counts)[:-1])

    def center(self) -> Drawing:
        """Return the drawing with its box centered on 0 and its longest side 1."""
        low, high = self.points.min(0), self.points.max(0)
        scale = max(float((high - low).max()), 1e-3)
        return Drawing(((self.points - (low + high) / 2) / scale).astype(np.float32), self.counts)

    def transform(self, matrix: NDArray[np.floating]) -> Drawing:
        """Return the drawing with every point multiplied by a (2, 2) matrix."""
        return Drawing((self.points @ matrix.T).astype(np.float32), self.counts)


def resample(stroke: NDArray[np.floating], spacing: float, most: int = 24) -> Points:
    """Return points at equal distances along a stroke, about `spacing` apart."""
    steps = np.hypot(*np.diff(stroke, axis=0).T) if len(stroke) > 1 else np.zeros(0)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < 1e-6:
        return np.repeat(stroke[:1], 2, axis=0).astype(np.float32)
    at = np.linspace(0, along[-1], int(np.clip(np.ceil(along[-1] / spacing) + 1, 3, most)))
    return np.stack([np.interp(at, along, stroke[:, 0]), np.interp(at, along, stroke[:, 1])], 1).astype(np.float32)


def rotation_matrix(angle: float) -> NDArray[np.float64]:
    """Return the matrix (2, 2) of a rotation by an angle in radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def square_symmetry(quarters: int, mirrored: bool) -> NDArray[np.float64]:
    """Return one of the eight symmetries of the square, (2, 2); each makes another character of the same strokes."""
    turn = np.round(rotation_matrix(quarters * np.pi / 2))
    return np.asarray(turn @ np.diag([-1.0 if mirrored else 1.0, 1.0]))


def random_affine(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random slant, rotation and aspect of one drawing, (2, 2)."""
    shear = np.array([[1, rng.normal(0, 0.16)], [0, 1]])
    spread = SQUASH if rng.random() < 0.15 else 0.12
    return np.asarray(rotation_matrix(rng.normal(0, 0.11)) @ shear @ np.diag(np.exp(rng.normal(0, spread, 2))))


def wobble(points: NDArray[np.floating], rng: np.random.Generator, strength: float) -> Points:
    """Displace centered points (p, 2) smoothly, by three low waves in random directions."""
    waves = rng.normal(0, 4.0, (3, 2))
    phases = rng.uniform(0, 2 * np.pi, 3)
    pushes = rng.normal(0, strength / np.sqrt(1.5), (3, 2))
    return (points + np.sin(points @ waves.T + phases) @ pushes).astype(np.float32)


def jitter(drawing: Drawing, rng: np.random.Generator, strength: float = 1.0) -> Drawing:
    """Rotate, scale, move and bend every stroke a little, as another hand would."""
    counts, points = drawing.counts, drawing.points
    m, owner = len(counts), np.repeat(np.arange(len(counts)), counts)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    centers = np.add.reduceat(points, starts) / counts[:, None]
    local = points - centers[owner]
    angle, scale = rng.normal(0, 0.09 * strength, m), np.exp(rng.normal(0, 0.09 * strength, (m, 2)))
    c, s = np.cos(angle)[owner], np.sin(angle)[owner]
    x, y = local[:, 0] * scale[owner, 0], local[:, 1] * scale[owner, 1]
    turned = np.stack([c * x - s * y, s * x + c * y], 1)
    moved = turned + centers[owner] + rng.normal(0, 0.028 * strength, (m, 2))[owner]
    bent = moved + _bend_displacements(counts, starts, owner, rng, 0.03 * strength)
    return Drawing(bent.astype(np.float32), counts)


def _bend_displacements(
    counts: Counts, starts: NDArray[np.integer], owner: NDArray[np.integer], rng: np.random.Generator, size: float
) -> NDArray[np.float64]:
    """Return displacements (p, 2) that change slowly along each stroke: noise at four knots, linear between them."""
    knots = rng.normal(0, size, (len(counts), 4, 2))
    along = (np.arange(len(owner)) - starts[owner]) / np.maximum(counts[owner] - 1, 1) * 2.999
    knot = along.astype(np.int64)
    part = (along - knot)[:, None]
    return np.asarray(knots[owner, knot] * (1 - part) + knots[owner, knot + 1] * part)


def apply_pen_habits(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """Now and then join or split strokes, and shorten or lengthen their ends."""
    strokes = drawing.strokes()
    if len(strokes) > 1 and rng.random() < 0.12:
        i = int(rng.integers(len(strokes) - 1))
        if np.hypot(*(strokes[i][-1] - strokes[i + 1][0])) < 0.5:
            strokes[i : i + 2] = [np.concatenate(strokes[i : i + 2])]
    if rng.random() < 0.12:
        i = int(rng.integers(len(strokes)))
        if len(strokes[i]) > 7:
            cut = int(rng.integers(3, len(strokes[i]) - 3))
            strokes[i : i + 1] = [strokes[i][:cut], strokes[i][cut - 1 :]]
    if rng.random() < 0.35:
        i = int(rng.integers(len(strokes)))
        strokes[i] = _move_end(strokes[i], rng)
    return Drawing.from_strokes(strokes)


def _move_end(stroke: Points, rng: np.random.Generator) -> Points:
    """Shorten one end of a stroke a little, or lengthen it in its own direction."""
    s = stroke if rng.random() < 0.5 else stroke[::-1]
    if rng.random() < 0.5 and len(s) > 8:
        return s[:-1]
    direction = s[-1] - s[-2]
    length = float(np.hypot(*direction))
    if length < 1e-4:
        return s
    tip = s[-1] + direction / length * rng.uniform(0.02, 0.12)
    return np.concatenate([s, tip[None].astype(np.float32)])
