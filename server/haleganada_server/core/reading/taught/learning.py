"""What a page's corrections say about where its glyphs end, beyond the samples that they teach.

Each settled group says that glyphs end at both of its ends, and that none ends within it. How many of either were seen
at gaps, or at cuts, like the one in question is the evidence (a Parzen estimate: Duda, Hart and Stork, "Pattern
Classification", 4.3); the prior is one of each, so that a page without corrections has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .directions import measure_gaps
from .lattice import GlyphLattice

_GAP_WIDTH = 0.08  # letter heights between gaps that are much alike
_INK_WIDTH = 0.6  # pen widths of crossed ink, likewise

Floats = NDArray[np.float64]


class Boundaries(NamedTuple):
    """Boundaries between a part and the one before it, by its number. parted: where glyphs end; inner: where none
    does.
    """

    parted: NDArray[np.intp]
    inner: NDArray[np.intp]


def find_boundaries(lattice: GlyphLattice, settled: Iterable[int]) -> Boundaries:
    """Return what people have said of the boundaries of a page. settled: groups that are glyphs."""
    groups = [*settled, *np.flatnonzero(lattice.is_joined).tolist()]
    is_inner = np.zeros(len(lattice.part_boxes) + 1, np.bool_)
    is_end = np.append(lattice.is_parted, False)
    for first, last in lattice.groups[groups].tolist():
        is_inner[first + 1 : last] = True
        is_end[[first, last]] = True
    is_end[lattice.line_starts] = False
    return Boundaries(np.flatnonzero(is_end & ~is_inner), np.flatnonzero(is_inner))


def weigh_boundaries(lattice: GlyphLattice, known: Boundaries) -> Floats:
    """Return the log of the odds that a glyph ends before each part, (parts,), beside those of a page of which nothing
    was said.
    """
    odds = np.zeros(len(lattice.part_boxes))
    directions = lattice.find_directions(np.arange(len(odds), dtype=np.int32))
    gaps = measure_gaps(lattice.part_boxes, directions) / max(lattice.letter, 1.0)
    inks = lattice.cuts.astype(np.float64)
    is_cut = inks > 0
    for places, width, of_kind in ((gaps, _GAP_WIDTH, ~is_cut), (inks, _INK_WIDTH, is_cut)):
        parted, inner = (places[some[of_kind[some]]] for some in known)
        own = places[of_kind]
        odds[of_kind] = np.log1p(_count(own, parted, width)) - np.log1p(_count(own, inner, width))
    return odds


def _count(places: Floats, seen: Floats, width: float) -> Floats:
    """Return how many were seen near each place."""
    return np.asarray(np.exp(-0.5 * ((places[:, None] - seen[None, :]) / width) ** 2).sum(axis=1))
