"""The best path through a lattice, which takes each part exactly once, and how sure it is of its groups."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .lattice import GlyphLattice
from .scoring import GroupScores


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """groups: (n,) in order. certainties: (n,) the share, 0 to 1, of all paths that go through each, weighted by how
    good they are.
    """

    groups: NDArray[np.intp]
    certainties: NDArray[np.float64]


def find_path(
    lattice: GlyphLattice, scores: GroupScores, temperature: float, allowed: NDArray[np.bool_] | None = None
) -> Path:
    """Return the best path (Viterbi) and the shares of its groups (forward-backward, at a temperature in nats). Groups
    never reach beyond their line, so that all lines are one path. allowed: (groups,) those that it may take; there must
    be a path through them.
    """
    numbers = np.arange(len(lattice.groups)) if allowed is None else np.flatnonzero(allowed)
    firsts, lasts = lattice.groups[numbers].T.tolist()
    values = (scores.values[numbers] - scores.boundaries[firsts]).tolist()
    edges = list(zip(firsts, lasts, values, strict=True))
    parts = len(lattice.part_boxes)
    chosen = _find_best(edges, parts)
    forward, backward = _sum_forward(edges, parts, temperature), _sum_backward(edges, parts, temperature)
    logs = [forward[firsts[edge]] + values[edge] / temperature + backward[lasts[edge]] - forward[-1] for edge in chosen]
    return Path(numbers[chosen], np.clip(np.exp(logs), 0.0, 1.0))


Edge = tuple[int, int, float]
"""A group: its first part, the one behind its last, and its value in nats."""


def _find_best(edges: list[Edge], parts: int) -> list[int]:
    reached = [0.0] + [-math.inf] * parts
    chosen = [-1] * (parts + 1)
    for group, (first, last, value) in enumerate(edges):
        total = reached[first] + value
        if total > reached[last]:
            reached[last], chosen[last] = total, group
    path: list[int] = []
    end = parts
    while end > 0:
        path.append(chosen[end])
        end = edges[chosen[end]][0]
    return path[::-1]


def _sum_forward(edges: list[Edge], parts: int, temperature: float) -> list[float]:
    """Return the log of the sum over all paths to each part."""
    sums = [0.0] + [-math.inf] * parts
    for first, last, value in edges:
        sums[last] = _add(sums[last], sums[first] + value / temperature)
    return sums


def _sum_backward(edges: list[Edge], parts: int, temperature: float) -> list[float]:
    """Return the log of the sum over all paths from each part."""
    sums = [-math.inf] * parts + [0.0]
    for first, last, value in reversed(edges):
        sums[first] = _add(sums[first], sums[last] + value / temperature)
    return sums


def _add(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    larger, smaller = (a, b) if a >= b else (b, a)
    return larger if smaller == -math.inf else larger + math.log1p(math.exp(smaller - larger))
