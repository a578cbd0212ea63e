"""What people have settled on a page stays, in any order, and leaves no trace when it is taken back."""

from __future__ import annotations

from itertools import pairwise, product
from types import MappingProxyType

import numpy as np
import pytest
from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.fewshot.projection import Projection
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.reading.page import PageReading, TextGlyph
from haleganada_server.core.reading.taught.ink import PageInkMap
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.page import GroupRasters, PageFrame, TaughtPage
from haleganada_server.core.reading.taught.path import find_path
from haleganada_server.core.reading.taught.reading import read_taught
from haleganada_server.core.reading.taught.scoring import GroupScores
from haleganada_server.core.reading.taught.settled import Settled, find_allowed
from hypothesis import given
from hypothesis import strategies as st

K = 4
PARTS = 6
FRAME = PageFrame(page=1, width=400, height=100, to_page=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
PARAMETERS = HeadParameters(Projection(np.zeros(K), np.eye(K), np.full(K, 4.0)), Calibration())


def make_lattice(parts: int = PARTS, line: int = 4) -> GlyphLattice:
    """Parts of 20 px, 10 px apart, `line` of them in a line, and all groups of up to three in a line."""
    lefts = np.arange(parts) * 30
    boxes = np.stack([lefts, np.zeros_like(lefts), lefts + 20, np.full_like(lefts, 40)], axis=1).astype(np.int32)
    starts = [*range(0, parts, line), parts]
    groups = [
        (first, last)
        for begin, end in pairwise(starts)
        for first in range(begin, end)
        for last in range(first + 1, min(first + 3, end) + 1)
    ]
    return GlyphLattice(
        letter=40.0,
        line_starts=np.array(starts, np.int32),
        line_blocks=np.zeros(len(starts) - 1, np.int32),
        part_boxes=boxes,
        cuts=np.zeros(parts, np.float32),
        overlaps=np.zeros(parts, np.float32),
        groups=np.array(groups, np.int32),
        group_boxes=np.array([[*boxes[first, :2], *boxes[last - 1, 2:]] for first, last in groups], np.int32),
        group_ids=np.arange(len(groups), dtype=np.int32) * 3 + 5,
        is_parted=np.zeros(parts, np.bool_),
        is_joined=np.zeros(len(groups), np.bool_),
    )


LATTICE = make_lattice()
IDS = LATTICE.group_ids.tolist()


def make_page(seed: int = 0) -> TaughtPage:
    embeddings = np.random.default_rng(seed).normal(scale=2, size=(len(LATTICE.groups), K)).astype(np.float32)
    return TaughtPage(FRAME, LATTICE, GroupRasters((), len(embeddings)), PageInkMap.pack([]), embeddings, "abc")


def know(*labels: str) -> Knowledge:
    vectors = np.round(np.random.default_rng(1).normal(scale=2, size=(len(labels), K)) * 4096) / 4096
    head = build_head(PARAMETERS.projection.between, labels, vectors)
    return Knowledge(
        revision=1,
        head=head,
        variants=Variants(),
        samples_total=len(labels),
        stale=StaleSamples(),
        class_ids=MappingProxyType({}),
    )


def find_glyphs(page: PageReading) -> list[TextGlyph]:
    return [glyph for line in page.lines for word in line.words for glyph in word.glyphs]


def settle_all(settlements: list[tuple[int, str]]) -> Settled:
    settled = Settled()
    for group_id, text in settlements:
        settled = settled.settle(LATTICE, group_id, text)
    return settled


SETTLEMENTS = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(["ಅ", "ಆ", "new", ""])), max_size=8)


@given(settlements=SETTLEMENTS, seed=st.integers(0, 20), labels=st.sampled_from([(), ("ಅ",), ("ಅ", "ಆ", "ಇ")]))
def test_what_is_settled_is_read_so(settlements: list[tuple[int, str]], seed: int, labels: tuple[str, ...]) -> None:
    settled = settle_all(settlements)
    reading = read_taught(make_page(seed), know(*labels), PARAMETERS, settled=settled)
    found = {glyph.glyph_id: glyph for glyph in find_glyphs(reading)}
    for group_id, text in settled.labels.items():
        assert (group_id in found) == bool(text)
        if text:
            assert (found[group_id].text, found[group_id].confidence) == (text, 1.0)
    assert {number for number, glyph in found.items() if glyph.is_settled} == {
        group_id for group_id, text in settled.labels.items() if text
    }


@given(settlements=SETTLEMENTS)
def test_settled_glyphs_never_share_ink(settlements: list[tuple[int, str]]) -> None:
    settled = settle_all(settlements)
    numbers = list(settled.find_groups(LATTICE))
    assert len(numbers) == len(settled.labels)
    taken = np.zeros(PARTS, int)
    for first, last in LATTICE.groups[numbers]:
        taken[first:last] += 1
    assert taken.max(initial=0) <= 1
    if settlements:
        assert settled.labels[settlements[-1][0]] == settlements[-1][1]


@given(settlements=SETTLEMENTS, extra=st.sampled_from(IDS))
def test_taking_a_settlement_back_leaves_no_trace(settlements: list[tuple[int, str]], extra: int) -> None:
    before = settle_all(settlements).release(LATTICE, [extra])
    after = before.settle(LATTICE, extra, "ಅ").unsettle(extra)
    page, knowledge = make_page(), know("ಅ", "ಆ")
    assert after == before
    assert read_taught(page, knowledge, PARAMETERS, settled=after) == read_taught(
        page, knowledge, PARAMETERS, settled=before
    )


@given(settlements=SETTLEMENTS, values=st.lists(st.integers(-9, 9), min_size=len(IDS), max_size=len(IDS)))
def test_the_path_is_the_best_of_all_that_are_allowed(settlements: list[tuple[int, str]], values: list[int]) -> None:
    settled = settle_all(settlements)
    allowed = find_allowed(LATTICE, settled)
    scores = GroupScores(np.array(values, np.float64), np.zeros(len(values), np.intp), np.zeros(PARTS))
    path = find_path(LATTICE, scores, 1.0, allowed)
    paths = [one for one in enumerate_paths(LATTICE) if set(settled.find_groups(LATTICE)) <= set(one)]
    assert path.groups.tolist() in paths
    totals = [sum(values[group] for group in one) for one in paths]
    assert sum(values[group] for group in path.groups) == max(totals)
    weights = np.exp(np.array(totals, float) - max(totals))
    for group, certainty in zip(path.groups.tolist(), path.certainties.tolist(), strict=True):
        share = weights[[group in one for one in paths]].sum() / weights.sum()
        assert certainty == pytest.approx(share, abs=1e-9)


def enumerate_paths(lattice: GlyphLattice) -> list[list[int]]:
    def extend(part: int) -> list[list[int]]:
        if part == len(lattice.part_boxes):
            return [[]]
        starting = np.flatnonzero(lattice.groups[:, 0] == part).tolist()
        return [[group, *rest] for group in starting for rest in extend(int(lattice.groups[group, 1]))]

    return extend(0)


def test_settlements_of_other_pages_are_passed_over() -> None:
    page, knowledge = make_page(), know("ಅ")
    elsewhere = Settled({999: "ಅ"})
    assert read_taught(page, knowledge, PARAMETERS, settled=elsewhere) == read_taught(page, knowledge, PARAMETERS)


@pytest.mark.parametrize(("joined", "parted"), [*product([None, 1, 2], [None, 1, 2])])
def test_joined_groups_are_glyphs_and_walls_part_them(joined: int | None, parted: int | None) -> None:
    lattice = make_lattice(3, 3)  # groups: 0, 01, 012, 1, 12, 2
    if joined is not None:
        lattice.is_joined[joined] = True
    if parted is not None:
        lattice.is_parted[parted] = True
    allowed = set(np.flatnonzero(find_allowed(lattice, Settled())).tolist())
    if joined is not None:
        assert allowed == ({1, 5} if joined == 1 else {2})
    elif parted is not None:
        assert allowed == ({0, 3, 4, 5} if parted == 1 else {0, 1, 3, 5})
    else:
        assert allowed == set(range(6))
