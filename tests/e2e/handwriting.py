"""Kannada letters as a hand writes them: never twice the same, always the same for a seed.

letters.json holds, for each letter, the middle lines of its strokes in thousandths of its longer side, y down, centered
on 0; they were traced from Noto Sans Kannada (SIL OFL 1.1). A hand leans, stretches, turns and sways; its pen glides
through the points in a smooth curve.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

Point = tuple[float, float]
_LETTERS = Path(__file__).with_name("letters.json")
_STEPS = 6  # points between two of the file


def letters() -> str:
    """The letters that can be written."""
    return "".join(_shapes())


def write_letter(letter: str, seed: int, side: float = 1.0, size: float = 0.62) -> list[list[Point]]:
    """Return the strokes of a letter on a square of this side, in the same units; the letter fills `size` of it."""
    hand = random.Random(f"{letter} {seed}")
    turn, lean = hand.gauss(0, 0.05), hand.gauss(0, 0.08)
    wide, tall = size * hand.uniform(0.9, 1.08), size * hand.uniform(0.9, 1.08)
    middle = hand.gauss(0.5, 0.015), hand.gauss(0.5, 0.015)
    sway = _sway(hand), _sway(hand)

    def place(x: float, y: float) -> Point:
        x, y = x / 1000, y / 1000
        x, y = (x - lean * y + sway[0](x, y)) * wide, (y + sway[1](x, y)) * tall
        turned = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        return (turned[0] + middle[0]) * side, (turned[1] + middle[1]) * side

    return [_curve([place(x, y) for x, y in stroke]) for stroke in _shapes()[letter]]


def _sway(hand: random.Random) -> Callable[[float, float], float]:
    """A smooth field that bends a letter: three slow waves over the square."""
    waves = [(hand.gauss(0, 5), hand.gauss(0, 5), hand.uniform(0, 6.3), hand.gauss(0, 0.016)) for _ in range(3)]
    return lambda x, y: sum(high * math.sin(a * x + b * y + phase) for a, b, phase, high in waves)


@cache
def _shapes() -> dict[str, list[list[Point]]]:
    shapes: dict[str, list[list[Point]]] = json.loads(_LETTERS.read_text(encoding="utf-8"))
    return shapes


def _curve(points: list[Point]) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    padded = [points[0], *points, points[-1]]
    curve = [points[0]]
    for i, (start, end) in enumerate(pairwise(points)):
        before, after = padded[i], padded[i + 3]
        curve += [_between(before, start, end, after, step / _STEPS) for step in range(1, _STEPS + 1)]
    return curve


def _between(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    def axis(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)

    x, y = (axis(p0[i], p1[i], p2[i], p3[i]) for i in (0, 1))
    return x, y
