"""Reading by what was taught, without pictures: lattices, paths, words, and pages as bytes."""

from __future__ import annotations

import zipfile
from itertools import pairwise

import numpy as np
import pytest
from haleganada_server.core.reading.taught.assembly import find_word_gap
from haleganada_server.core.reading.taught.ink import PageInkMap
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.page import GroupRasters, PageFrame, TaughtPage
from haleganada_server.core.reading.taught.path import find_path
from haleganada_server.core.reading.taught.scoring import (
    GroupScores,
    Prices,
    measure_known,
    measure_usual_size,
    score_groups,
)
from numpy.typing import NDArray

FRAME = PageFrame(page=2, width=300, height=200, to_page=(1.0, 0.0, 5.0, 0.0, 1.0, -3.0), skew_degrees=0.5)


def lattice(starts: tuple[int, ...] = (0, 3), cuts: tuple[float, ...] = (0, 0, 0)) -> GlyphLattice:
    """Three parts of 20 px, 10 px apart, in one line or more, and all groups of up to two in a line."""
    lefts = np.arange(starts[-1]) * 30
    boxes = np.stack([lefts, np.zeros_like(lefts), lefts + 20, np.full_like(lefts, 40)], axis=1).astype(np.int32)
    groups = [
        (first, last)
        for begin, end in pairwise(starts)
        for first in range(begin, end)
        for last in range(first + 1, min(first + 2, end) + 1)
    ]
    return GlyphLattice(
        letter=40.0,
        line_starts=np.array(starts, np.int32),
        line_blocks=np.zeros(len(starts) - 1, np.int32),
        part_boxes=boxes,
        cuts=np.array(cuts, np.float32),
        overlaps=np.zeros(len(boxes), np.float32),
        groups=np.array(groups, np.int32),
        group_boxes=np.array([[*boxes[first, :2], *boxes[last - 1, 2:]] for first, last in groups], np.int32),
        group_ids=np.arange(len(groups), dtype=np.int32),
        is_parted=np.zeros(len(boxes), np.bool_),
        is_joined=np.zeros(len(groups), np.bool_),
    )


def scores(values: list[float], boundaries: tuple[float, ...] = (0, 0, 0)) -> GroupScores:
    labels = np.zeros(len(values), np.intp)
    return GroupScores(np.array(values, np.float64), labels, np.array(boundaries, np.float64))


def test_the_best_path_takes_each_part_once() -> None:
    made = lattice()  # groups: 0, 01, 1, 12, 2
    assert find_path(made, scores([1, 9, 1, 4, 1]), 1.0).groups.tolist() == [1, 4]
    assert find_path(made, scores([1, 1, 1, 9, 1]), 1.0).groups.tolist() == [0, 3]
    assert find_path(made, scores([1, -9, 1, -9, 1]), 1.0).groups.tolist() == [0, 2, 4]


def test_a_boundary_that_is_dear_is_not_crossed() -> None:
    made, values = lattice(), [3.0, 4, 3, 0, 3]
    assert find_path(made, scores(values), 1.0).groups.tolist() == [0, 2, 4]
    assert find_path(made, scores(values, (0, 5, 0)), 1.0).groups.tolist() == [1, 4]


def test_paths_never_leave_a_line() -> None:
    made = lattice((0, 1, 3))
    assert find_path(made, scores([1, 1, 9, 1]), 1.0).groups.tolist() == [0, 2]


def test_certainty_is_the_share_of_the_paths() -> None:
    path = find_path(lattice(), scores([0, 0, 0, 0, 0]), 1.0)  # three paths that are equally good
    assert len(path.groups) in (2, 3)
    assert sorted(path.certainties) == pytest.approx([1 / 3] * 3 if len(path.groups) == 3 else [1 / 3, 2 / 3])
    sure = find_path(lattice(), scores([50, 0, 50, 0, 50]), 1.0)
    assert sure.certainties == pytest.approx([1, 1, 1])


def test_unknown_glyphs_have_a_usual_size() -> None:
    made = lattice()
    nothing = np.zeros((len(made.groups), 1))  # log-likelihoods of “unknown” alone
    found = score_groups(made, nothing)
    assert (found.labels == -1).all()
    assert find_path(made, found, 1.0).groups.tolist() == [0, 2, 4]


def test_the_usual_size_is_that_of_connected_ink_however_it_was_cut() -> None:
    made = lattice((0, 12), cuts=(0, 1) * 6)
    found = score_groups(made, np.zeros((len(made.groups), 1)))
    path = find_path(made, found, 1.0)
    assert made.groups[path.groups].tolist() == [[first, first + 2] for first in range(0, 12, 2)]


def test_glyphs_are_expected_to_be_nearly_as_wide_as_those_that_are_sure() -> None:
    made = lattice((0, 60), cuts=(0,) * 60)
    pairs = np.flatnonzero(made.groups[:, 1] - made.groups[:, 0] == 2)[::2]  # 50 px wide, pieces 20 px
    unknown, half, known = (np.exp(measure_usual_size(made, pairs, share)) for share in (0.0, 0.5, 1.0))
    assert np.exp(measure_usual_size(made, pairs[:0], 0.0)) == pytest.approx([20, 40])
    assert unknown == pytest.approx([20, 40])
    assert 20 < half[0] < known[0] < 50 and half[1] == known[1] == pytest.approx(40)
    nothing = np.zeros((len(made.groups), 1))
    assert (np.diff(made.groups[find_path(made, score_groups(made, nothing), 1.0).groups]) == 1).all()
    expected = score_groups(made, nothing, usual_size=measure_usual_size(made, pairs, 1.0))
    assert (np.diff(made.groups[find_path(made, expected, 1.0).groups]) == 2).all()


def test_a_page_is_known_by_sure_glyphs_of_several_labels() -> None:
    none = measure_known(np.zeros(0, np.intp))
    one, few, many = (measure_known(np.arange(60) % labels) for labels in (1, 5, 30))
    assert none == 0 < one < 0.1 < few < 0.5 and 0.9 < many < 1


def test_a_cut_is_dearer_the_less_is_known_of_the_page() -> None:
    cuts = [Prices().for_page(known).cut for known in (0.0, 0.5, 1.0)]
    assert cuts[0] > cuts[1] > cuts[2] == Prices().cut


@pytest.mark.parametrize(
    ("gaps", "parted"),
    [
        ([10] * 12, False),
        ([10, 9, 11, 10, 40, 10, 12, 38, 9, 10], True),
        ([10, 14, 12, 9, 16, 11, 13], False),
        ([10], False),
    ],
)
def test_words_are_parted_only_by_gaps_of_another_kind(gaps: list[int], parted: bool) -> None:
    before = np.array([0, *gaps], np.int32)
    gap = find_word_gap(before, np.zeros(len(before), np.intp), 40.0)
    assert (gap < max(gaps)) == parted


def rasters(count: int) -> list[NDArray[np.uint8]]:
    dice = np.random.default_rng(0)
    return [dice.integers(0, 256, (128, 128), np.uint8) for _ in range(count)]


def test_a_page_outlives_its_bytes() -> None:
    drawn, made = rasters(5), lattice()
    embeddings = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    page = TaughtPage(FRAME, made, GroupRasters.compress(drawn), PageInkMap.pack([]), embeddings, "abc")

    again = TaughtPage.from_bytes(page.to_bytes())

    assert (again.frame, again.embedder_hash, again.lattice.letter) == (FRAME, "abc", 40.0)
    assert (again.embeddings == embeddings).all() and (again.lattice.groups == made.groups).all()
    assert all((again.rasters[i] == raster).all() for i, raster in enumerate(drawn))


def test_rasters_come_in_blocks() -> None:
    drawn = rasters(130)
    blocks = list(GroupRasters.compress(drawn).enumerate_blocks())
    assert (np.concatenate(blocks) == np.stack(drawn)).all() and max(map(len, blocks)) < 130


def test_an_empty_page_has_bytes_too() -> None:
    page = TaughtPage.without_embeddings(FRAME, GlyphLattice.join([]), GroupRasters.compress([]), PageInkMap.pack([]))
    again = TaughtPage.from_bytes(page.to_bytes())
    assert not len(again.lattice.groups) and not list(again.rasters.enumerate_blocks())


def test_bytes_that_are_no_page_are_refused() -> None:
    with pytest.raises((ValueError, KeyError, zipfile.BadZipFile)):
        TaughtPage.from_bytes(b"\x80\x04nothing")


def test_columns_are_blocks_of_one_lattice() -> None:
    left, right = lattice(), lattice((0, 1, 3)).move(200, 10)
    joined = GlyphLattice.join([left, GlyphLattice.join([]), right])
    assert joined.line_starts.tolist() == [0, 3, 4, 6] and joined.line_blocks.tolist() == [0, 1, 1]
    assert joined.groups[len(left.groups)].tolist() == [3, 4]
    assert joined.part_boxes[3].tolist() == [200, 10, 220, 50]


@pytest.mark.parametrize(("likelihood", "label"), [(30.0, 0), (10.0, -2)])
def test_little_ink_is_a_dot_only_if_it_looks_like_one(likelihood: float, label: int) -> None:
    made = lattice()
    made.group_boxes[0] = [0, 0, 8, 6]
    log_likelihoods = np.zeros((len(made.groups), 2))
    log_likelihoods[0, 0] = likelihood
    assert score_groups(made, log_likelihoods).labels[0] == label
