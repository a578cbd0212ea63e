"""How the ink of a line is taken apart: its edges, arms, marks, and letters that touch."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

cv2 = pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")

from haleganada_server.core.reading.taught.edits.editing import join_groups, split_group  # noqa: E402
from haleganada_server.core.reading.taught.ink import PageInkMap  # noqa: E402
from haleganada_server.core.reading.taught.lattice import GlyphLattice  # noqa: E402
from haleganada_server.core.reading.taught.page import GroupRasters, PageFrame, TaughtPage  # noqa: E402
from haleganada_server.reading.taught.lattice import build_lattice, draw_groups  # noqa: E402
from haleganada_server.vision.frame import frame  # noqa: E402

_PEN = 5
_TOP, _BOTTOM = 60, 100
"""px of the letters of the line."""


class Line:
    """A line that is being drawn: square letters of 40 px, 30 px apart."""

    def __init__(self) -> None:
        self.picture: NDArray[np.uint8] = np.full((160, 900, 3), 240, np.uint8)
        self.x = 60

    def letter(self, gap: int = 30) -> int:
        """Draw a letter; return where it begins."""
        left = self.x
        self.stroke((left, _TOP), (left + 40, _TOP), (left + 40, _BOTTOM), (left, _BOTTOM), (left, _TOP))
        self.x += 40 + gap
        return left

    def letters(self, count: int) -> None:
        for _ in range(count):
            self.letter()

    def stroke(self, *points: tuple[int, int]) -> None:
        cv2.polylines(self.picture, [np.array(points, np.int32)], False, (30, 30, 30), _PEN)

    def dot(self, x: int, y: int) -> None:
        cv2.circle(self.picture, (x, y), 5, (30, 30, 30), -1)

    def ring(self, x: int, y: int) -> None:
        cv2.circle(self.picture, (x, y), 7, (30, 30, 30), 3)

    def take_apart(self) -> GlyphLattice:
        return build_lattice(self.picture)[0]


def has_box(boxes: NDArray[np.int32], left: int, top: int, right: int, bottom: int) -> bool:
    """Return whether one of the boxes is that one, give or take a pen."""
    return bool((np.abs(boxes - (left, top, right, bottom)).max(axis=1) <= _PEN).any())


def test_letters_that_stand_apart_are_parts() -> None:
    line = Line()
    line.letters(6)
    lattice = line.take_apart()
    assert len(lattice.part_boxes) == 6 and not lattice.cuts.any()


def test_ink_that_the_edge_cuts_off_from_another_line_is_left_out() -> None:
    line = Line()
    line.letters(6)
    line.stroke((100, 0), (110, 18), (130, 0))
    line.stroke((300, 159), (330, 135))
    lattice = line.take_apart()
    assert len(lattice.part_boxes) == 6
    assert lattice.part_boxes[:, 1].min() > 40 and lattice.part_boxes[:, 3].max() < 120


def test_what_reaches_from_the_edge_into_the_line_belongs_to_it() -> None:
    line = Line()
    line.letters(5)
    line.stroke((line.x + 20, 0), (line.x + 20, _BOTTOM))
    line.x += 60
    line.letters(2)
    assert len(line.take_apart().part_boxes) == 8


def test_an_arm_over_the_next_letter_stays_with_its_own() -> None:
    line = Line()
    line.letters(3)
    left = line.letter()
    line.stroke((left + 20, _TOP), (left + 20, 35), (left + 105, 35))
    line.letters(4)
    lattice = line.take_apart()
    assert has_box(lattice.group_boxes, left, 35, left + 105, _BOTTOM)
    assert has_box(lattice.part_boxes, left + 70, _TOP, left + 110, _BOTTOM)
    assert not has_box(lattice.part_boxes, left + 70, 35, left + 105, 35)


def test_a_foot_under_the_next_letter_does_not_bind_it() -> None:
    line = Line()
    line.letters(3)
    left = line.letter()
    line.stroke((left + 20, _BOTTOM), (left + 20, _BOTTOM + 16), (left + 112, _BOTTOM + 16))
    line.letters(4)
    lattice = line.take_apart()
    (after,) = np.flatnonzero(np.abs(lattice.part_boxes[:, 0] - (left + 70)) <= _PEN)
    assert has_box(lattice.group_boxes, left, _TOP, left + 112, _BOTTOM + 16)
    assert lattice.overlaps[after] < 0.1


def test_a_dot_belongs_to_the_letter_below_it() -> None:
    line = Line()
    line.letters(2)
    left = line.letter()
    line.dot(left + 20, 46)
    line.letters(3)
    lattice = line.take_apart()
    assert len(lattice.part_boxes) == 6 and has_box(lattice.part_boxes, left, 43, left + 40, _BOTTOM)


def test_a_dot_between_two_letters_may_be_of_either() -> None:
    line = Line()
    line.letters(2)
    left = line.letter(gap=14)
    line.letters(3)
    line.dot(left + 47, 48)
    lattice = line.take_apart()
    assert len(lattice.part_boxes) == 7
    assert has_box(lattice.group_boxes, left, 45, left + 50, _BOTTOM)
    assert has_box(lattice.group_boxes, left + 44, 45, left + 94, _BOTTOM)


def test_dirt_in_a_letter_may_be_left_out() -> None:
    line = Line()
    line.letters(2)
    left = line.letter()
    line.stroke((left + 16, 80), (left + 22, 80))
    line.letters(3)
    lattice = line.take_apart()
    (letter,) = np.flatnonzero(np.abs(lattice.part_boxes - (left, _TOP, left + 40, _BOTTOM)).max(axis=1) <= _PEN)
    spans = lattice.groups.tolist()
    assert len(lattice.part_boxes) == 7 and not lattice.overlaps.any()
    assert [letter, letter + 1] in spans
    assert [letter, letter + 2] in spans or [letter - 1, letter + 1] in spans


def test_an_arm_that_was_cut_off_stays_beside_its_letter() -> None:
    line = Line()
    line.letters(3)
    left = line.x
    line.stroke((left, _BOTTOM), (left, 38), (left + 150, 38))
    line.x += 24
    under = [line.letter(gap=24), line.letter()]
    line.letters(3)
    lattice = line.take_apart()
    assert has_box(lattice.group_boxes, left, 38, left + 150, _BOTTOM)
    for one in under:
        (part,) = np.flatnonzero(np.abs(lattice.part_boxes - (one, _TOP, one + 40, _BOTTOM)).max(axis=1) <= _PEN)
        assert lattice.overlaps[part] < 0.1


def test_a_ring_beside_a_letter_is_not_the_next_ones_mark() -> None:
    line = Line()
    line.letters(2)
    left = line.letter(gap=34)
    line.stroke((left + 2, _BOTTOM), (left + 2, _BOTTOM + 16))
    line.ring(left + 57, _BOTTOM + 2)
    line.letters(3)
    lattice = line.take_apart()
    assert has_box(lattice.group_boxes, left, _TOP, left + 67, _BOTTOM + 16)
    assert has_box(lattice.part_boxes, left + 74, _TOP, left + 114, _BOTTOM)


@pytest.mark.parametrize("letters", [1, 2, 5])
@pytest.mark.parametrize("pitch", [52, 66])
def test_a_short_last_line_close_to_the_one_above_is_a_line(letters: int, pitch: int) -> None:
    picture: NDArray[np.uint8] = np.full((360, 1100, 3), 240, np.uint8)
    for line, count in enumerate((18, 18, 18, letters)):
        for number in range(count):
            place = 50 + 58 * number, 100 + pitch * line
            cv2.putText(picture, "AXHEKMRS"[number % 8], place, cv2.FONT_HERSHEY_SIMPLEX, 1.75, (30, 30, 30), 4)
    lattice, _ = build_lattice(picture)
    assert len(lattice.line_blocks) == 4
    bottoms = lattice.part_boxes[lattice.line_starts[3] :, 3]
    assert np.abs(bottoms - (100 + 3 * pitch)).max() <= _PEN


def test_bars_above_each_other_are_one_glyph() -> None:
    line = Line()
    line.letters(3)
    left = line.x
    for y in (74, 88):
        line.stroke((left, y), (left + 30, y))
    line.x += 60
    line.letters(3)
    lattice = line.take_apart()
    assert len(lattice.part_boxes) == 7 and has_box(lattice.part_boxes, left, 74, left + 30, 88)


def test_letters_that_a_stroke_joins_are_cut_from_it() -> None:
    line = Line()
    line.letters(3)
    left = line.letter(gap=30)
    right = line.letter()
    line.stroke((left + 40, 80), (right, 80))
    line.letters(3)
    lattice = line.take_apart()
    assert lattice.cuts.any()
    assert has_box(lattice.group_boxes, left, _TOP, left + 40, _BOTTOM)
    assert has_box(lattice.group_boxes, right, _TOP, right + 40, _BOTTOM)
    assert has_box(lattice.group_boxes, left, _TOP, right + 40, _BOTTOM)


def test_a_narrow_sign_that_touches_a_letter_is_cut_from_it() -> None:
    line = Line()
    line.letters(4)
    sign = line.x
    cv2.circle(line.picture, (sign + 9, 80), 9, (30, 30, 30), _PEN)
    line.x += 21
    left = line.letter()
    line.letters(4)
    lattice = line.take_apart()
    (cut,) = np.flatnonzero(lattice.cuts)
    assert sign + 9 <= lattice.part_boxes[cut, 0] <= left
    assert has_box(lattice.group_boxes, sign, _TOP, left + 40, _BOTTOM)


def test_ink_between_the_fragments_of_a_letter_does_not_make_its_cut_free() -> None:
    line = Line()
    line.letters(3)
    left = line.letter(gap=30)
    right = line.letter()
    line.stroke((left + 40, 97), (right, 97))
    line.stroke((left + 55, 58), (left + 55, 82))
    line.letters(3)
    lattice = line.take_apart()
    (bar,) = np.flatnonzero(np.abs(lattice.part_boxes - (left + 53, 56, left + 57, 85)).max(axis=1) <= _PEN)
    assert lattice.cuts[bar] and lattice.cuts[bar + 1]


def test_a_long_stroke_that_is_broken_is_a_group() -> None:
    line = Line()
    line.letters(3)
    left = line.x
    line.stroke((left, _BOTTOM), (left + 100, 80))
    line.stroke((left + 108, 78), (left + 160, 50), (left + 190, _BOTTOM))
    line.x += 230
    line.letters(3)
    assert has_box(line.take_apart().group_boxes, left, 50, left + 190, _BOTTOM)


def test_the_ink_of_a_line_draws_its_groups_again() -> None:
    line = Line()
    line.letters(3)
    line.letter(gap=-3)
    line.letters(3)
    lattice, lines = build_lattice(line.picture)
    rasters, ink = list(draw_groups(lattice, lines)), PageInkMap.pack(lines)
    assert len(lattice.groups) == len(rasters) > 6
    for (first, last), box, raster in zip(lattice.groups.tolist(), lattice.group_boxes.tolist(), rasters, strict=True):
        number = lattice.find_line(first)
        start = int(lattice.line_starts[number])
        assert (frame(ink.unpack(number).draw(first - start, last - start, box)) == raster).all()


def test_a_group_of_a_real_line_can_be_split_and_joined_again() -> None:
    line = Line()
    line.letters(4)
    left = line.letter()
    lattice, lines = build_lattice(line.picture)
    rasters, ink = draw_groups(lattice, lines), PageInkMap.pack(lines)
    place = PageFrame(page=1, width=900, height=160, to_page=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    page = TaughtPage.without_embeddings(place, lattice, GroupRasters.compress(rasters), ink)
    group = next(one for one, box in enumerate(lattice.group_boxes.tolist()) if abs(box[0] - left) <= _PEN)
    group_id = int(lattice.group_ids[group])
    middle = (float(left + 20), 0.0), (float(left + 20), 160.0)
    edited = split_group(page, group_id, middle, frame)
    assert len(edited.lattice.part_boxes) == len(lattice.part_boxes) + 1
    halves = edited.lattice.group_ids[edited.lattice.groups[:, 0] >= len(lattice.part_boxes) - 1]
    joined, again = join_groups(edited, halves.tolist(), frame)
    assert again == group_id and (joined.rasters[again] == page.rasters[group_id]).all()
