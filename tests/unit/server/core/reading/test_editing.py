"""Glyphs of a page that a person splits and joins, without a document: three blobs of ink in one line."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.fewshot.builder import empty_head
from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.fewshot.projection import Projection
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.reading.corrections.corrections import (
    JOURNAL_FORMAT,
    Correction,
    CorrectionUndo,
    GlyphJoin,
    GlyphNaming,
    GlyphRemoval,
    GlyphSplit,
    JournalEntry,
)
from haleganada_server.core.reading.corrections.history import PageHistory
from haleganada_server.core.reading.taught.edits.editing import join_groups, split_group
from haleganada_server.core.reading.taught.ink import LineInk, PageInkMap
from haleganada_server.core.reading.taught.lattice import GlyphLattice
from haleganada_server.core.reading.taught.page import GroupRasters, PageFrame, TaughtPage
from haleganada_server.core.reading.taught.reading import read_taught
from haleganada_server.vision.frame import frame
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

PARAMETERS = HeadParameters(Projection(np.zeros(2), np.eye(2), np.full(2, 4.0)), Calibration())
KNOWLEDGE = Knowledge(
    revision=1,
    head=empty_head(PARAMETERS.projection.between),
    variants=Variants(),
    samples_total=0,
    stale=StaleSamples(),
    class_ids=MappingProxyType({}),
)
LEFT, TOP = 7, 3
"""Of the line, in px of the lattice."""
BOXES = [(10, 5, 40, 45), (44, 10, 64, 40), (70, 5, 100, 45)]
"""Of the parts."""
REPLAYED_GROUPS = {
    (0, 1): 5, (0, 2): 0, (0, 3): 1, (1, 2): 6, (1, 3): 7, (2, 3): 2, (2, 4): 8, (2, 5): 3, (3, 4): 9, (3, 5): 4,
    (4, 5): 10,
}  # fmt: skip
REPLAYED_BOXES = [[10, 5, 25, 45], [25, 5, 40, 45], [44, 10, 64, 40], [70, 5, 86, 45], [82, 5, 100, 45]]
"""The ids of groups by their parts, and the boxes of parts, after some corrections."""


def make_page() -> TaughtPage:
    """Part 0 is two blobs of 13 px that touch in a thin bar; the page is shown 10 px to the right of the lattice."""
    levels, owners = np.zeros((50, 110), np.uint8), np.zeros((50, 110), np.uint16)
    for number, (left, top, right, bottom) in enumerate(BOXES, 1):
        area = np.s_[top - TOP : bottom - TOP, left - LEFT : right - LEFT]
        levels[area], owners[area] = 255, number
    levels[np.r_[2:20, 24:42], 16:20], owners[np.r_[2:20, 24:42], 16:20] = 0, 0
    line = LineInk(LEFT, TOP, levels, owners, 60)
    spans = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
    around = [[*BOXES[a][:2], BOXES[b - 1][2], max(box[3] for box in BOXES[a:b])] for a, b in spans]
    around[3][1] = 5
    lattice = GlyphLattice(
        letter=40.0,
        line_starts=np.array([0, 3], np.int32),
        line_blocks=np.zeros(1, np.int32),
        part_boxes=np.array(BOXES, np.int32),
        cuts=np.zeros(3, np.float32),
        overlaps=np.zeros(3, np.float32),
        groups=np.array(spans, np.int32),
        group_boxes=np.array(around, np.int32),
        group_ids=np.arange(5, dtype=np.int32),
        is_parted=np.zeros(3, np.bool_),
        is_joined=np.zeros(5, np.bool_),
    )
    drawn = [frame(line.draw(a, b, box)) for (a, b), box in zip(spans, around, strict=True)]
    return TaughtPage(
        PageFrame(page=1, width=140, height=60, to_page=(1.0, 0.0, 10.0, 0.0, 1.0, 0.0)),
        lattice,
        GroupRasters.compress(drawn),
        PageInkMap.pack([line]),
        embed(np.stack(drawn)),
        "abc",
    )


def embed(rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
    return rasters.reshape(len(rasters), -1)[:, :2].astype(np.float32)


def split_first(page: TaughtPage, x: float = 35) -> TaughtPage:
    return split_group(page, 0, ((x, 0), (x, 50)), frame)


def find_spans(page: TaughtPage) -> dict[tuple[int, int], int]:
    """Return the id of each group."""
    groups = map(tuple, page.lattice.groups.tolist())
    return dict(zip(groups, page.lattice.group_ids.tolist(), strict=True))


def read(page: TaughtPage) -> list[int | None]:
    """Return the ids of the glyphs that are found."""
    lines = read_taught(page.embed(embed, "abc"), KNOWLEDGE, PARAMETERS).lines
    return [glyph.glyph_id for line in lines for word in line.words for glyph in word.glyphs]


def require_sound(page: TaughtPage) -> None:
    """Check what every lattice promises."""
    lattice = page.lattice
    assert lattice.line_starts[-1] == len(lattice.part_boxes) == len(lattice.cuts) == len(lattice.is_parted)
    assert (np.diff(lattice.groups[:, 0]) >= 0).all()
    assert len(set(lattice.group_ids.tolist())) == len(lattice.groups) == len(page.embeddings)
    spans = find_spans(page)
    assert len(spans) == len(lattice.groups)
    assert {(part, part + 1) for part in range(len(lattice.part_boxes))} <= set(spans)
    ink = page.ink.unpack(0)
    for (first, last), box in zip(lattice.groups.tolist(), lattice.group_boxes.tolist(), strict=True):
        rows, columns = np.nonzero((ink.owners > first) & (ink.owners <= last))
        assert box[:2] == [ink.left + columns.min(), ink.top + rows.min()]
        assert box[2:] == [ink.left + columns.max() + 1, ink.top + rows.max() + 1]
    for (first, last), group_id in spans.items():
        box = lattice.group_boxes[lattice.find_group(group_id)].tolist()
        assert (page.rasters[group_id] == frame(ink.draw(first, last, box))).all()


def test_the_page_of_these_tests_is_sound() -> None:
    require_sound(make_page())


def test_a_part_that_a_line_crosses_becomes_two() -> None:
    page = split_first(make_page())
    require_sound(page)
    spans = find_spans(page)
    assert len(page.lattice.part_boxes) == 4
    assert {spans[span] for span in [(0, 2), (0, 3), (2, 3), (2, 4), (3, 4)]} == {0, 1, 2, 3, 4}
    assert spans[0, 1] >= 5 and spans[1, 2] >= 5 and spans[1, 3] >= 5
    assert page.lattice.is_parted.tolist() == [False, True, False, False]


def test_only_new_groups_wait_for_their_embeddings() -> None:
    asked: list[int] = []

    def count(rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        asked.append(len(rasters))
        return embed(rasters)

    page = split_first(make_page())
    is_new = np.isnan(page.embeddings).any(axis=1)
    assert (page.lattice.group_ids[is_new] >= 5).all() and is_new.sum() == len(page.lattice.groups) - 5
    whole = page.embed(count, "abc")
    assert asked == [is_new.sum()] and not np.isnan(whole.embeddings).any()
    assert whole.embed(count, "abc") is whole
    assert (whole.embeddings == page.embed(embed, "other").embeddings).all()


def test_both_halves_are_read_apart() -> None:
    page = split_first(make_page())
    spans = find_spans(page)
    assert spans[0, 1] in read(page) and 0 not in read(page)
    assert all(not span[0] < 1 < span[1] for span, one in spans.items() if one in read(page))


def test_a_line_between_parts_is_a_wall() -> None:
    page, joined = join_groups(make_page(), [0, 2], frame)
    assert joined == 1 and read(page)[0] == 1
    again = split_group(page, joined, ((52.0, 0.0), (52.0, 50.0)), frame)
    require_sound(again)
    assert len(again.lattice.part_boxes) == 3 and again.lattice.is_parted.tolist() == [False, True, False]
    assert read(again)[0] == 0


def test_halves_that_are_joined_are_the_glyph_that_was_split() -> None:
    page = split_first(make_page())
    spans = find_spans(page)
    again, joined = join_groups(page, [spans[0, 1], spans[1, 2]], frame)
    assert joined == 0 and not again.lattice.is_parted.any()
    assert read(again)[0] == 0
    require_sound(again)


def test_groups_that_nobody_thought_of_are_made() -> None:
    page, joined = join_groups(make_page(), [1, 4], frame)
    assert joined == 5 and find_spans(page)[0, 3] == 5 and read(page) == [5]
    require_sound(page)


def test_pages_never_change() -> None:
    page = make_page()
    before = page.to_bytes()
    join_groups(split_first(page), [2, 4], frame)
    assert page.to_bytes() == before


def test_a_page_that_was_edited_outlives_its_bytes() -> None:
    page, _ = join_groups(split_first(make_page()), [2, 4], frame)
    again = TaughtPage.from_bytes(page.to_bytes())
    assert again.to_bytes() == page.to_bytes()
    require_sound(again)
    assert read(again) == read(page)


@pytest.mark.parametrize("x", [-50.0, 19.0, 20.2, 51.0, 200.0])
def test_a_line_that_divides_nothing_is_refused(x: float) -> None:
    with pytest.raises(InvalidInput, match="draw it"):
        split_first(make_page(), x)


def test_distant_glyphs_are_not_joined() -> None:
    with pytest.raises(InvalidInput, match="neighbors"):
        join_groups(make_page(), [0, 4], frame)


@given(
    group=st.integers(0, 4),
    points=st.tuples(*[st.floats(0, 120)] * 2, *[st.floats(0, 50)] * 2),
    group_to_join=st.integers(0, 4),
)
def test_every_split_leaves_a_sound_page(
    group: int, points: tuple[float, float, float, float], group_to_join: int
) -> None:
    x0, x1, y0, y1 = points
    page = make_page()
    try:
        page = split_group(page, group, ((x0, y0), (x1, y1)), frame)
    except InvalidInput:
        return
    require_sound(page)
    lattice = page.lattice
    wall = int(np.flatnonzero(lattice.is_parted)[0])
    read_groups = [lattice.groups[lattice.find_group(one or 0)].tolist() for one in read(page)]
    assert all(not first < wall < last for first, last in read_groups)
    if group_to_join in lattice.group_ids:
        require_sound(join_groups(page, [group_to_join], frame)[0])


def test_the_journal_replays_as_its_format_says() -> None:
    """If this fails, pages that were corrected before would become others: JOURNAL_FORMAT has to grow, and entries of
    the old format have to be replayed as before.
    """
    corrections: list[Correction] = [
        GlyphNaming((0,), "ಕ"),
        GlyphSplit(0, (35, 0), (35, 50)),
        GlyphJoin((6, 2), "ಖ"),
        GlyphSplit(4, (95.5, 10), (92.5, 40)),
        GlyphRemoval((9,)),
        CorrectionUndo(4),
        GlyphJoin((5, 7), ""),
    ]
    history = PageHistory(make_page(), [], frame)
    for number, correction in enumerate(corrections, 1):
        correction, state = history.resolve(correction)
        history.append(
            JournalEntry(
                revision=number,
                time_us=0,
                correction=correction,
                taught={},
                forgotten=(),
                next_id=max(history.next_id, state.page.rasters.count),
            ),
            state,
        )
    page = history.state.page
    assert JOURNAL_FORMAT == 1
    assert find_spans(page) == REPLAYED_GROUPS
    assert page.lattice.part_boxes.tolist() == REPLAYED_BOXES
    assert page.lattice.is_parted.tolist() == [False, False, False, False, True]
    assert page.rasters.count == 11
