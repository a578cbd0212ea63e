"""Outlines of lines, before they are cut out: what finders miss of a script that they do not know."""

from __future__ import annotations

from haleganada_server.core.reading.page import Polygon
from haleganada_server.reading.layout.line_cuts import join_fragments, widen_outlines
from haleganada_server.reading.layout.lines import as_polygon, bounds

LINES = [as_polygon((50.0, 50.0, 550.0, 90.0)), as_polygon((50.0, 170.0, 550.0, 210.0))]
BELOW = as_polygon((80.0, 88.0, 104.0, 106.0))


def boxes(outlines: list[Polygon]) -> list[tuple[float, ...]]:
    return [tuple(round(edge) for edge in bounds([outline])) for outline in outlines]


def test_a_letter_below_a_line_is_part_of_it() -> None:
    assert boxes(join_fragments([*LINES, BELOW])) == [(50, 50, 550, 106), (50, 170, 550, 210)]


def test_short_lines_stay_lines() -> None:
    number, cell = as_polygon((280.0, 300.0, 320.0, 340.0)), as_polygon((600.0, 50.0, 640.0, 90.0))
    assert join_fragments([*LINES, number, cell]) == [*LINES, number, cell]


def test_lines_reach_higher_and_lower_where_there_is_room() -> None:
    assert boxes(widen_outlines(LINES, 0.1, 0.3)) == [(50, 46, 550, 102), (50, 166, 550, 222)]
    close = [LINES[0], as_polygon((50.0, 94.0, 550.0, 134.0))]
    assert boxes(widen_outlines(close, 0.1, 0.3)) == [(50, 46, 550, 92), (50, 92, 550, 146)]
    crossing = [LINES[0], as_polygon((50.0, 85.0, 550.0, 125.0))]
    assert boxes(widen_outlines(crossing, 0.1, 0.3)) == [(50, 46, 550, 90), (50, 85, 550, 137)]
