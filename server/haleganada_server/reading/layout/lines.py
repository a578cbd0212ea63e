"""What is done to lines after they were found, with all their words and glyphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from haleganada_server.core.reading.page import Polygon, TextLine

if TYPE_CHECKING:  # the preparation needs OpenCV, and engines are listed where that is not installed
    from haleganada_server.reading.preparation.prepared import Box


def map_line(line: TextLine, mapping: Callable[[Polygon], Polygon]) -> TextLine:
    """Return a line with every polygon mapped."""
    words = tuple(
        replace(
            word,
            polygon=mapping(word.polygon),
            glyphs=tuple(replace(glyph, polygon=mapping(glyph.polygon)) for glyph in word.glyphs),
        )
        for word in line.words
    )
    return replace(line, polygon=mapping(line.polygon), words=words)


def move_line(line: TextLine, x: float, y: float) -> TextLine:
    """Return a line moved by so many px."""
    return map_line(line, lambda polygon: tuple((px + x, py + y) for px, py in polygon))


def forget_text(line: TextLine) -> TextLine:
    """Return a line without its text and confidences, as one that was only found."""
    words = tuple(
        replace(
            word,
            text="",
            confidence=None,
            glyphs=tuple(replace(glyph, text="", confidence=None) for glyph in word.glyphs),
        )
        for word in line.words
    )
    return replace(line, text="", confidence=None, words=words, engine="")


def bounds(polygons: Iterable[Polygon]) -> Box:
    """Return the box around polygons, of which there is at least one."""
    points = [point for polygon in polygons for point in polygon]
    x, y = [point[0] for point in points], [point[1] for point in points]
    return min(x), min(y), max(x), max(y)


def as_polygon(box: Box) -> Polygon:
    """Return the corners of a box, clockwise from the upper left one."""
    left, top, right, bottom = box
    return ((left, top), (right, top), (right, bottom), (left, bottom))
