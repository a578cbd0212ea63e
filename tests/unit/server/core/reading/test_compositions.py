"""Two neighbors that people have made one glyph are one elsewhere, too."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.reading.taught.compositions import compose_labels
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.scoring import UNKNOWN, GroupScores

PARTS = 6
SPANS = [(a, b) for a in range(PARTS) for b in range(a + 1, min(a + 3, PARTS) + 1)]
A, B, C, D = range(4)
WRITTEN = (A, B, A, B, B, C)
"""What each part is like."""


def make_lattice() -> GlyphLattice:
    lefts = np.arange(PARTS, dtype=np.int32) * 30
    boxes = np.stack([lefts, np.zeros_like(lefts), lefts + 20, np.full_like(lefts, 40)], axis=1)
    return GlyphLattice(
        letter=40.0,
        line_starts=np.array([0, PARTS], np.int32),
        line_blocks=np.zeros(1, np.int32),
        part_boxes=boxes,
        cuts=np.zeros(PARTS, np.float32),
        overlaps=np.zeros(PARTS, np.float32),
        groups=np.array(SPANS, np.int32),
        group_boxes=np.array([[*boxes[a, :2], *boxes[b - 1, 2:]] for a, b in SPANS], np.int32),
        group_ids=np.arange(len(SPANS), dtype=np.int32),
        is_parted=np.zeros(PARTS, np.bool_),
        is_joined=np.zeros(len(SPANS), np.bool_),
    )


def find(first: int, last: int) -> int:
    return SPANS.index((first, last))


def compose(settled: dict[int, int]) -> GroupScores:
    """Score parts by what they are like, and all larger groups as unknown, worse than their parts."""
    labels = np.array([WRITTEN[a] if b == a + 1 else UNKNOWN for a, b in SPANS], np.intp)
    values = np.array([20.0 if b == a + 1 else -50.0 for a, b in SPANS])
    labels[[*settled]] = [*settled.values()]
    return compose_labels(make_lattice(), GroupScores(values, labels, np.zeros(PARTS)), settled, 10.0)


def test_nothing_is_composed_that_nobody_has_settled() -> None:
    assert compose({}).labels[find(2, 4)] == UNKNOWN
    assert compose({find(0, 1): A}).labels[find(2, 4)] == UNKNOWN


def test_what_was_settled_once_is_found_again() -> None:
    scores = compose({find(0, 2): D})
    assert scores.labels[find(2, 4)] == D
    assert scores.values[find(2, 4)] == pytest.approx(40 + 10 * np.log(2))
    assert scores.labels[find(1, 3)] == scores.labels[find(3, 5)] == UNKNOWN


def test_neighbors_that_were_settled_apart_as_often_stay_apart() -> None:
    assert compose({find(0, 2): D, find(2, 3): A, find(3, 4): B}).labels[find(2, 4)] == UNKNOWN


def test_three_may_be_one() -> None:
    scores = compose({find(3, 5): D, find(3, 6): C})
    assert scores.labels[find(3, 6)] == C and scores.labels[find(0, 3)] == UNKNOWN
