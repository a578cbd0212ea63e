"""How well each group of a lattice is explained: by the best label, or as a glyph that nobody has taught yet.

The score of a label is its log-likelihood ratio against “unknown”, which may be summed over groups as it is. A glyph
that nobody has taught has a ratio of 0 by definition; so that it does not swallow its neighbors or fall to pieces, it
has a price, which grows the more its size differs from that of the page's own glyphs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .directions import measure_gaps
from .lattice import GlyphLattice

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a path through a lattice pays, in nats. They were fitted on pages of four scripts, all or half or none of
    whose labels were taught, and on lines of two ciphers.

    glyph: for each glyph. contrary: what evidence against a label counts, beside evidence for it.

    unknown: for a glyph that nobody has taught. unknown_size: times the squared deviation of its log width and
    unknown_height times that of its log height from the page's usual ones. unknown_gap, label_gap: for each gap within
    an unknown glyph, or one of a label, that is at least wide_gap letter heights wide, less for narrower ones.
    label_size: times the squared deviation from the log size of the label's glyphs on this page, and most_label_size at
    most. label_width: for being wider than usual, times how much its log width exceeds the usual one and free_width,
    and most_label_width at most. narrower: log width by which glyphs are expected to be narrower than those that are
    sure, because two that are read as one are a worse mistake than one that is read as two.

    cut, cut_ink: for parting two glyphs where their ink touches, and for each pen width of ink that is crossed.
    unknown_cut: in place of cut where no glyph is sure, because then nothing tells whether a piece is a letter.
    overlap: for parting ink that stands above each other, times the overlap beyond free_overlap. boundary_odds: less
    for each unit of the odds that a page's corrections give a boundary. composition: less for each unit of the odds
    that two neighbors are one glyph, see compositions.

    temperature: what nats are divided by to tell how sure a path is of a group. full_size: times the usual extent of
    parts; what is smaller says less of its label, because little ink looks like much other ink. noise: for ink that is
    no glyph, which has noise_size letter heights at most; it pays nothing else. dot: the log-likelihood ratio from
    which on such ink is the label that it is like.
    """

    glyph: float = 40.0
    contrary: float = 0.63
    unknown: float = 13.0
    unknown_size: float = 140.0
    unknown_height: float = 0.37
    unknown_gap: float = 5.5
    label_gap: float = 6.8
    wide_gap: float = 0.02
    label_size: float = 125.0
    most_label_size: float = 140.0
    label_width: float = 83.0
    most_label_width: float = 112.0
    free_width: float = 0.4
    narrower: float = 0.35
    cut: float = 8.0
    unknown_cut: float = 40.0
    cut_ink: float = 7.7
    overlap: float = 600.0
    boundary_odds: float = 20.0
    composition: float = 30.0
    free_overlap: float = 0.35
    temperature: float = 8.0
    full_size: float = 2.3
    noise: float = 10.0
    noise_size: float = 0.3
    dot: float = 25.0

    def for_page(self, known: float) -> Prices:
        """Return the prices for a page. known: how well its glyphs are known, 0..1, see measure_known."""
        return replace(self, cut=self.unknown_cut + known * (self.cut - self.unknown_cut))


DEFAULT_PRICES = Prices()
UNKNOWN, NOISE = -1, -2

_FEW_PARTS = 5
_FEW_LABELS = 6  # of which glyphs are sure: then half is known of all glyphs of the page
_SEVERAL, _NARROW = 1.45, 1.2  # of the usual width, and of the narrower quarter: wider ink may be several letters


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
    usual_size: Floats | None = None,
) -> GroupScores:
    """log_likelihoods: (groups, labels + 1), see Head.score_many. label_sizes: (labels, 2), see measure_label_sizes.
    boundary_odds: (parts,), see learning.weigh_boundaries. usual_size: (2,), see measure_usual_size; None = that of the
    page's connected ink.
    """
    pieces = _find_pieces(lattice)
    usual = np.median(_log_sizes(pieces), axis=0) if usual_size is None else usual_size
    sizes = _log_sizes(lattice.group_boxes)
    extents = np.exp(sizes.max(axis=1))
    weights = np.minimum(extents / (prices.full_size * _usual_extent(pieces)), 1.0)
    ratios = (log_likelihoods[:, :-1] - log_likelihoods[:, -1:]) * weights[:, None]
    ratios = np.where(ratios < 0, prices.contrary * ratios, ratios)
    if label_sizes is not None:
        off = (sizes[:, None, 0] - label_sizes[None, :, 0]) ** 2 + (sizes[:, None, 1] - label_sizes[None, :, 1]) ** 2
        ratios = ratios - np.nan_to_num(np.minimum(prices.label_size * off, prices.most_label_size))
    gaps = _count_gaps(lattice, prices.wide_gap)
    excess = np.maximum(sizes[:, 0] - usual[0] - prices.free_width, 0.0)
    shape = prices.label_gap * gaps + np.minimum(prices.label_width * excess, prices.most_label_width)
    known = ratios.max(axis=1, initial=-np.inf) - shape - prices.glyph
    off_size = (sizes[:, 0] - usual[0]) ** 2 + prices.unknown_height * (sizes[:, 1] - usual[1]) ** 2
    unknown = -(prices.glyph + prices.unknown + prices.unknown_size * off_size + prices.unknown_gap * gaps)
    noise = np.where(extents <= prices.noise_size * lattice.letter, -prices.noise, -np.inf)
    best = ratios.argmax(axis=1) if ratios.shape[1] else np.full(len(ratios), UNKNOWN)
    is_dot = (log_likelihoods[:, :-1].max(axis=1, initial=-np.inf) - log_likelihoods[:, -1]) >= prices.dot
    return GroupScores(
        values=np.max([known, unknown, noise], axis=0),
        labels=np.where(
            known >= np.maximum(unknown, noise),
            best,
            np.where(unknown >= noise, UNKNOWN, np.where(is_dot, best, NOISE)),
        ),
        boundaries=_price_boundaries(lattice, prices, boundary_odds),
    )


def measure_label_sizes(boxes: NDArray[np.int32], labels: NDArray[np.intp], count: int) -> Floats:
    """Return the log of the usual width and height, in px, of each label's glyphs on a page, (count, 2); NaN for labels
    that it does not have. boxes: (n, 4) of glyphs that are sure; labels: (n,) their numbers.
    """
    found = np.full((count, 2), np.nan)
    present, counts = np.unique(labels, return_counts=True)
    starts = np.cumsum(counts) - counts
    for side, sizes in enumerate(_log_sizes(boxes).T):
        ordered = sizes[np.lexsort((sizes, labels))]  # by label; the median is in the middle of each
        found[present, side] = (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2
    return found


def measure_known(labels: NDArray[np.intp]) -> float:
    """Return how well the glyphs of a page are known, 0..1. labels: of those that are sure; of few labels, however many
    glyphs, nothing follows for the others, of which there may be wider ones.
    """
    different = len(np.unique(labels))
    return different**2 / (different**2 + _FEW_LABELS**2)


def measure_usual_size(
    lattice: GlyphLattice, sure: NDArray[np.intp], known: float, prices: Prices = DEFAULT_PRICES
) -> Floats:
    """Return the log of the width and the height, in px, that glyphs of a page are expected to have, (2,): those of the
    groups that are sure glyphs, or of connected ink as far as the page is not known. known: see measure_known.
    """
    pieces = np.median(_log_sizes(_find_pieces(lattice)), axis=0)
    if not len(sure):
        return np.asarray(pieces)
    glyphs = np.median(_log_sizes(lattice.group_boxes[sure]), axis=0) - (prices.narrower, 0.0)
    return np.asarray(pieces + known * (glyphs - pieces))


def _find_pieces(lattice: GlyphLattice) -> NDArray[np.int32]:
    """Return the boxes of connected ink that may be one letter, (n, 4); of all parts if there are few."""
    starts, boxes = np.flatnonzero(lattice.cuts == 0), lattice.part_boxes
    whole = np.concatenate(
        [np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)], axis=1
    )
    wide = whole[:, 2] - whole[:, 0]
    narrow, middle = np.percentile(wide, (25, 50))
    whole = whole[wide <= _SEVERAL * min(middle, max(lattice.letter, _NARROW * narrow))]
    return whole if len(whole) >= _FEW_PARTS else boxes


def _usual_extent(boxes: NDArray[np.int32]) -> float:
    """Return the median of the longer side of boxes, in px."""
    return float(np.median((boxes[:, 2:] - boxes[:, :2]).max(axis=1)))


def _log_sizes(boxes: NDArray[np.int32]) -> Floats:
    """Return the logs of widths and heights, (n, 2)."""
    return np.asarray(np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1)))


def _count_gaps(lattice: GlyphLattice, wide: float) -> Floats:
    """Return the number of gaps within each group, (groups,). Those below `wide`, in letter heights, count less."""
    directions = lattice.find_directions(np.arange(len(lattice.part_boxes), dtype=np.int32))
    gaps = np.maximum(measure_gaps(lattice.part_boxes, directions), 0)
    before = np.cumsum(np.minimum(gaps / (wide * lattice.letter), 1.0))
    return np.asarray(before[lattice.groups[:, 1] - 1] - before[lattice.groups[:, 0]])


def _price_boundaries(lattice: GlyphLattice, prices: Prices, odds: Floats | None) -> Floats:
    cuts = prices.cut + prices.cut_ink * lattice.cuts.astype(np.float64)
    overlaps = prices.overlap * np.maximum(lattice.overlaps - prices.free_overlap, 0.0)
    prices_of_all = np.where(lattice.cuts > 0, cuts, overlaps)
    if odds is not None:
        prices_of_all = prices_of_all - prices.boundary_odds * odds
    return np.where(lattice.is_parted, 0.0, prices_of_all)  # what a person has parted costs nothing
