"""Pieces of text with level boxes, from which lines are put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haleganada_server.core.reading.page import Polygon, TextLine

from .lines import as_polygon, bounds


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or a part of one, with its box in coordinates in which lines are level."""

    line: TextLine
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def gap_to(self, other: Piece) -> float:
        """Return how far apart the two are from left to right; negative if one lies above the other."""
        return max(self.left, other.left) - min(self.right, other.right)


def join_pieces(pieces: Sequence[Piece]) -> TextLine:
    """Return pieces of one line, from left to right, as one line."""
    lines = [piece.line for piece in pieces]
    if len(lines) == 1:
        return lines[0]
    known = [line for line in lines if line.confidence is not None]
    weights = [max(1, len(line.text)) for line in known]
    confidence = float(np.average([line.confidence or 0.0 for line in known], weights=weights)) if known else None
    return TextLine(
        text=" ".join(line.text for line in lines if line.text),
        polygon=_outline([line.polygon for line in lines]),
        confidence=confidence,
        words=tuple(word for line in lines for word in line.words) if all(line.words for line in lines) else (),
        engine=lines[0].engine,
    )


def _outline(polygons: Sequence[Polygon]) -> Polygon:
    """Return an outline of the polygons of pieces from left to right."""
    if all(len(polygon) == 4 for polygon in polygons):
        return (polygons[0][0], polygons[-1][1], polygons[-1][2], polygons[0][3])
    return as_polygon(bounds(polygons))
