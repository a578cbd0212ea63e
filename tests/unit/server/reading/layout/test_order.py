"""Reading order."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from haleganada_server.core.reading.page import Polygon, TextLine
from haleganada_server.reading.layout.lines import map_line
from haleganada_server.reading.layout.order import order_lines, order_pieces


def line(text: str, x: float, y: float, width: float = 400, height: float = 20) -> TextLine:
    """A line without words; x, y: its upper left corner."""
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    return TextLine(text=text, polygon=corners, confidence=0.5, engine="e")


def turn_lines(lines: Sequence[TextLine], degrees: float) -> list[TextLine]:
    """Return lines that fall to the right by so much."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def turn(polygon: Polygon) -> Polygon:
        return tuple((x * cosine - y * sine, x * sine + y * cosine) for x, y in polygon)

    return [map_line(one, turn) for one in lines]


def shuffle_lines(lines: Sequence[TextLine]) -> list[TextLine]:
    return random.Random(3).sample(lines, len(lines))


def texts(blocks: Sequence[Sequence[TextLine]]) -> list[list[str]]:
    return [[one.text for one in block] for block in blocks]


def test_nothing_has_no_blocks() -> None:
    assert order_lines([]) == []


@pytest.mark.parametrize("degrees", [-9, -2, 0, 3, 9])
def test_pieces_of_sloping_lines_come_together(degrees: float) -> None:
    cuts = [(0, 300 + 50 * row, 800 - 40 * row, 1330) for row in range(6)]
    pieces = [
        line(f"{row}{column}", left, 30 * row, right - left - 20 * (column < 2))
        for row, edges in enumerate(cuts)
        for column, (left, right) in enumerate(pairwise(edges))
    ]

    blocks = order_lines(shuffle_lines(turn_lines(pieces, degrees)))

    assert texts(blocks) == [[f"{row}0 {row}1 {row}2" for row in range(6)]]
    assert {(one.confidence, one.engine) for one in blocks[0]} == {(0.5, "e")}
    assert blocks[0][0].polygon[0] == pytest.approx((0, 0), abs=1)
    assert math.dist(*blocks[0][0].polygon[:2]) == pytest.approx(1330, abs=1)


@pytest.mark.parametrize("degrees", [-5, 0, 5])
def test_columns_are_read_one_after_another_between_headings(degrees: float) -> None:
    heading, second = line("Heading", 100, 0, 800), line("Second", 100, 400, 800)
    upper = [line(f"{side}{row}", 500 * (side == "r"), 60 + 30 * row) for side in "lr" for row in range(6)]
    lower = [line(f"{side}{row}", 500 * (side == "R"), 460 + 30 * row) for side in "LR" for row in range(6)]

    blocks = order_lines(shuffle_lines(turn_lines([heading, second, *upper, *lower], degrees)))

    assert " ".join(text for block in texts(blocks) for text in block) == (
        "Heading l0 l1 l2 l3 l4 l5 r0 r1 r2 r3 r4 r5 Second L0 L1 L2 L3 L4 L5 R0 R1 R2 R3 R4 R5"
    )
    assert len(blocks) == 6


def test_a_table_is_read_row_by_row() -> None:
    cells = [line(f"{row}{column}", 300 * column, 30 * row, 60) for row in range(5) for column in range(3)]

    assert texts(order_lines(shuffle_lines(cells))) == [[f"{row}{column}" for row in range(5) for column in range(3)]]


def test_space_and_size_part_blocks() -> None:
    title = [line("title", 0, 0, 400, 50)]
    first = [line(f"a{row}", 0, 70 + 30 * row) for row in range(4)]
    second = [line(f"b{row}", 0, 230 + 30 * row) for row in range(4)]

    assert texts(order_lines(shuffle_lines([*title, *first, *second]))) == [
        ["title"], ["a0", "a1", "a2", "a3"], ["b0", "b1", "b2", "b3"]
    ]  # fmt: skip


def test_pieces_can_stay_apart() -> None:
    pieces = [line("left", 0, 0), line("right", 420, 2), line("below", 0, 30)]

    assert texts(order_pieces(shuffle_lines(pieces))) == [["left", "right", "below"]]
