"""How well each group of a lattice is explained: by the best label, or as a glyph that nobody has taught yet.

The score of a label is its log-likelihood ratio against “unknown”, which may be summed over groups as it is. A glyph
that nobody has taught has a ratio of 0 by definition; so that it does not swallow its neighbors or fall to pieces, it
has a price, which grows the more its size differs from that of the page's own glyphs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .directions import measure_gaps
from .lattice import GlyphLattice

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a path through a lattice pays, in nats. glyph: for each glyph. unknown: for one that nobody has taught, and
    unknown_size: times the squared deviation of its log size, and unknown_gap: for each gap within it that is at least
    wide_gap letter heights wide, less for narrower ones. label_size: the same, from its label's size on this page, and
    most_label_size: at most. cut, cut_ink: for parting two glyphs where their ink touches, and for each pen width of
    ink that is crossed. overlap: for parting ink that stands above each other, times the overlap beyond free_overlap.
    boundary_odds: less for each unit of the odds that a page's corrections give a boundary. composition: less for each
    unit of the odds that two neighbors are one glyph, see compositions.
    temperature: what nats are divided by to tell how sure a path is of a group. full_size: times the usual extent of
    parts; what is smaller says less of its label, because little ink looks like much other ink. noise: for ink that is
    no glyph, which has noise_size letter heights at most.
    """

    glyph: float = 14.5
    unknown: float = 35.0
    unknown_size: float = 80.0
    unknown_gap: float = 12.5
    wide_gap: float = 0.1
    label_size: float = 18.0
    most_label_size: float = 24.0
    cut: float = 48.0
    cut_ink: float = 25.0
    overlap: float = 200.0
    boundary_odds: float = 20.0
    composition: float = 30.0
    free_overlap: float = 0.35
    temperature: float = 8.0
    full_size: float = 1.2
    noise: float = 6.5
    noise_size: float = 0.3


DEFAULT_PRICES = Prices()
UNKNOWN, NOISE = -1, -2


@dataclass(frozen=True, slots=True, eq=False)
class GroupScores:
    """values: (groups,) of the better explanation of each, in nats. labels: (groups,) the number of its best label in
    the head, UNKNOWN where it is none of them, NOISE where it is no glyph at all. boundaries: (parts,) what it costs to
    part a part from the one before it.
    """

    values: Floats
    labels: NDArray[np.intp]
    boundaries: Floats


def score_groups(
    lattice: GlyphLattice,
    log_likelihoods: Floats,
    label_sizes: Floats | None = None,
    prices: Prices = DEFAULT_PRICES,
    boundary_odds: Floats | None = None,
) -> GroupScores:
    """log_likelihoods: (groups, labels + 1), see Head.score_many. label_sizes: (labels, 2), see measure_label_sizes.
    boundary_odds: (parts,), see learning.weigh_boundaries.
    """
    sizes = _log_sizes(lattice.group_boxes)
    extents = np.exp(sizes.max(axis=1))
    weights = np.minimum(extents / (prices.full_size * _usual_extent(lattice)), 1.0)
    ratios = (log_likelihoods[:, :-1] - log_likelihoods[:, -1:]) * weights[:, None]
    if label_sizes is not None:
        off = (sizes[:, None, 0] - label_sizes[None, :, 0]) ** 2 + (sizes[:, None, 1] - label_sizes[None, :, 1]) ** 2
        ratios = ratios - np.nan_to_num(np.minimum(prices.label_size * off, prices.most_label_size))
    known = ratios.max(axis=1, initial=-np.inf)
    unknown = -_price_unknown(lattice, sizes, prices)
    noise = np.where(extents <= prices.noise_size * lattice.letter, -prices.noise, -np.inf)
    best = ratios.argmax(axis=1) if ratios.shape[1] else np.full(len(ratios), UNKNOWN)
    return GroupScores(
        values=np.max([known, unknown, noise], axis=0) - prices.glyph,
        labels=np.where(known >= np.maximum(unknown, noise), best, np.where(unknown >= noise, UNKNOWN, NOISE)),
        boundaries=_price_boundaries(lattice, prices, boundary_odds),
    )


def measure_label_sizes(boxes: NDArray[np.int32], labels: NDArray[np.intp], count: int) -> Floats:
    """Return the log of the usual width and height, in px, of each label's glyphs on a page, (count, 2); NaN for labels
    that it does not have. boxes: (n, 4) of glyphs that are sure; labels: (n,) their numbers.
    """
    found = np.full((count, 2), np.nan)
    sizes = _log_sizes(boxes)
    for label in np.unique(labels):
        found[label] = np.median(sizes[labels == label], axis=0)
    return found


def _usual_extent(lattice: GlyphLattice) -> float:
    """Return the median of the longer side of parts that were not cut, in px."""
    boxes = lattice.part_boxes[lattice.cuts == 0]
    return float(np.median((boxes[:, 2:] - boxes[:, :2]).max(axis=1)))


def _log_sizes(boxes: NDArray[np.int32]) -> Floats:
    """Return the logs of widths and heights, (n, 2)."""
    return np.asarray(np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1)))


def _price_unknown(lattice: GlyphLattice, sizes: Floats, prices: Prices) -> Floats:
    usual = np.median(_log_sizes(lattice.part_boxes), axis=0)
    off = (sizes[:, 0] - usual[0]) ** 2 + 0.25 * (sizes[:, 1] - usual[1]) ** 2
    directions = lattice.find_directions(np.arange(len(lattice.part_boxes), dtype=np.int32))
    gaps = np.maximum(measure_gaps(lattice.part_boxes, directions), 0)
    before = np.cumsum(np.minimum(gaps / (prices.wide_gap * lattice.letter), 1.0))
    inner = before[lattice.groups[:, 1] - 1] - before[lattice.groups[:, 0]]
    return np.asarray(prices.unknown + prices.unknown_size * off + prices.unknown_gap * inner)


def _price_boundaries(lattice: GlyphLattice, prices: Prices, odds: Floats | None) -> Floats:
    cuts = prices.cut + prices.cut_ink * lattice.cuts.astype(np.float64)
    overlaps = prices.overlap * np.maximum(lattice.overlaps - prices.free_overlap, 0.0)
    prices_of_all = np.where(lattice.cuts > 0, cuts, overlaps)
    if odds is not None:
        prices_of_all = prices_of_all - prices.boundary_odds * odds
    return np.where(lattice.is_parted, 0.0, prices_of_all)  # what a person has parted costs nothing
