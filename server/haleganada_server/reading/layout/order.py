"""Reading order: pieces of text become lines, lines become blocks, both in the order in which people read them.

All of it happens in coordinates in which the lines are level, whatever their slope in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import TextLine

from .gutters import part_columns
from .pieces import Piece, join_pieces

_SAME_ROW = 0.5  # of the lower piece's height may lie between the middles of two pieces of a row
_OVERLAP = 0.3  # of the narrower piece's width may lie above another piece of the row
_WIDE_GAP = 4.0  # heights; pieces of a row that are farther apart stay lines of their own, as the cells of a table do
_NEW_BLOCK = 0.9  # heights between two lines, beyond what is usual there, that part blocks
_OTHER_SIZE = 1.6  # times as high begins another block, as a heading does


def order_lines(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Return the lines of a page or column as blocks, all in reading order. Pieces of one line become one line."""
    return [[line for row in rows for line in _join_row(row)] for rows in _find_blocks(lines)]


def order_pieces(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Return the lines as order_lines does, with the pieces of a line still apart."""
    return [[piece.line for row in rows for piece in row] for rows in _find_blocks(lines)]


def _find_blocks(lines: Sequence[TextLine]) -> list[list[list[Piece]]]:
    """Return blocks of rows of pieces."""
    return [rows for column in part_columns(_level(lines)) for rows in _part_blocks(_find_rows(column))]


def _level(lines: Sequence[TextLine]) -> list[Piece]:
    """Return the lines with their boxes after a rotation that makes most of them level."""
    slopes = [_slope(line) for line in lines]
    widths = [_extent(line)[0] for line in lines]
    angle = _compute_weighted_median(slopes, widths) if lines else 0.0
    rotation = np.asarray([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return [_as_piece(line, rotation) for line in lines]


def _as_piece(line: TextLine, rotation: NDArray[np.float64]) -> Piece:
    x, y = rotation @ np.asarray(line.polygon).mean(axis=0)
    width, height = _extent(line)
    return Piece(line, x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _slope(line: TextLine) -> float:
    """Return by how much a line falls to the right, in radians."""
    if len(line.words) > 1:
        start, end = (np.asarray(word.polygon).mean(axis=0) for word in (line.words[0], line.words[-1]))
    else:
        start, end = np.asarray(line.polygon[0]), np.asarray(line.polygon[1])
    x, y = end - start
    angle = math.atan2(y, x)
    return angle if abs(angle) < math.pi / 4 else 0.0


def _extent(line: TextLine) -> tuple[float, float]:
    """Return the width and height of a line along its own direction, in px."""
    corners = np.asarray(line.polygon)
    if len(corners) != 4:
        width, height = corners.max(axis=0) - corners.min(axis=0)
        return float(width), float(max(height, 1.0))
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    return float(np.hypot(*across)), float(max(np.hypot(*down), 1.0))


def _compute_weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    order = np.argsort(values)
    heights = np.cumsum(np.asarray(weights)[order])
    return float(np.asarray(values)[order][np.searchsorted(heights, heights[-1] / 2)])


def _find_rows(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return pieces that stand beside each other as rows, from top to bottom, each from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        row = next((row for row in reversed(rows[-3:]) if _belongs(piece, row)), None)
        if row is None:
            rows.append([piece])
        else:
            row.append(piece)
    for row in rows:
        row.sort(key=lambda piece: piece.left)
    return sorted(rows, key=lambda row: float(np.mean([piece.middle for piece in row])))


def _belongs(piece: Piece, row: Sequence[Piece]) -> bool:
    """Tell whether a piece stands in a row. Only its nearest neighbor counts, because long lines bend."""
    nearest = min(row, key=lambda other: other.gap_to(piece))
    lower = min(piece.height, nearest.height)
    narrower = min(piece.width, nearest.width)
    return abs(piece.middle - nearest.middle) < _SAME_ROW * lower and nearest.gap_to(piece) > -_OVERLAP * narrower


def _join_row(row: Sequence[Piece]) -> list[TextLine]:
    lines = [[row[0]]]
    for piece in row[1:]:
        if lines[-1][-1].gap_to(piece) > _WIDE_GAP * max(piece.height, lines[-1][-1].height):
            lines.append([piece])
        else:
            lines[-1].append(piece)
    return [join_pieces(line) for line in lines]


def _part_blocks(rows: Sequence[list[Piece]]) -> list[list[list[Piece]]]:
    """Return rows as blocks: a wide gap or another size of letters begins a new one."""
    if not rows:
        return []
    tops = [float(np.mean([piece.top for piece in row])) for row in rows]
    bottoms = [float(np.mean([piece.bottom for piece in row])) for row in rows]
    heights = [bottom - top for top, bottom in zip(tops, bottoms, strict=True)]
    gaps = [top - bottom for top, bottom in zip(tops[1:], bottoms, strict=False)]
    usual = float(np.median(gaps)) if len(gaps) > 2 else 0.3 * float(np.median(heights))
    blocks = [[rows[0]]]
    for i, gap in enumerate(gaps):
        sizes = sorted((heights[i], heights[i + 1]))
        if gap - usual > _NEW_BLOCK * float(np.median(heights)) or sizes[1] > _OTHER_SIZE * sizes[0]:
            blocks.append([])
        blocks[-1].append(rows[i + 1])
    return blocks
