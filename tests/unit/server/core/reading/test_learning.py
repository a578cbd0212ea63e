"""What corrections say about the gaps and cuts of a page."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.learning import find_boundaries, weigh_boundaries

GAPS = (0, 5, 20, 5, 20, 5)
"""px before each part of 20 px, in a line of four and a line of two; letters are 40 px high."""


def make_lattice(cuts: tuple[float, ...] = (0,) * 6) -> GlyphLattice:
    lefts = np.cumsum([gap + 20 for gap in GAPS])
    lefts[4:] -= lefts[4]
    boxes = np.stack([lefts, np.zeros_like(lefts), lefts + 20, np.full_like(lefts, 40)], axis=1).astype(np.int32)
    groups = np.array([(a, b) for a in range(6) for b in range(a + 1, 7) if not a < 4 < b], np.int32)
    return GlyphLattice(
        letter=40.0,
        line_starts=np.array([0, 4, 6], np.int32),
        line_blocks=np.zeros(2, np.int32),
        part_boxes=boxes,
        cuts=np.array(cuts, np.float32),
        overlaps=np.zeros(6, np.float32),
        groups=groups,
        group_boxes=np.array([[*boxes[a, :2], *boxes[b - 1, 2:]] for a, b in groups], np.int32),
        group_ids=np.arange(len(groups), dtype=np.int32),
        is_parted=np.zeros(6, np.bool_),
        is_joined=np.zeros(len(groups), np.bool_),
    )


def find(lattice: GlyphLattice, first: int, last: int) -> int:
    return int(np.flatnonzero((lattice.groups == (first, last)).all(axis=1))[0])


def test_a_page_of_which_nothing_was_said_has_no_odds() -> None:
    lattice = make_lattice()
    assert weigh_boundaries(lattice, find_boundaries(lattice, [])) == pytest.approx(np.zeros(6))


def test_a_glyph_of_two_parts_tells_wide_gaps_from_narrow_ones() -> None:
    lattice = make_lattice()
    odds = weigh_boundaries(lattice, find_boundaries(lattice, [find(lattice, 0, 2)]))
    assert odds[[1, 3, 5]].max() < 0 < odds[2]


def test_the_ends_of_a_line_say_nothing() -> None:
    lattice = make_lattice()
    known = find_boundaries(lattice, [find(lattice, 0, 4), find(lattice, 4, 6)])
    assert not len(known.parted) and known.inner.tolist() == [1, 2, 3, 5]


def test_what_a_person_parts_and_joins_counts_as_well() -> None:
    lattice = make_lattice()
    lattice.is_parted[2] = True
    lattice.is_joined[find(lattice, 4, 6)] = True
    known = find_boundaries(lattice, [])
    assert (known.parted.tolist(), known.inner.tolist()) == ([2], [5])


def test_cuts_are_judged_by_cuts_alone() -> None:
    lattice = make_lattice((0, 2.0, 0, 2.1, 0, 0))
    odds = weigh_boundaries(lattice, find_boundaries(lattice, [find(lattice, 0, 1)]))
    assert odds[1] > 0 and odds[3] > 0.5 * odds[1] and odds[5] == odds[2] == 0
