"""Columns among pieces of text, where the preparation found none: by the gutters that hardly any line crosses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .pieces import Piece

_MIN_ROWS = 3  # on both sides of a gutter
_MIN_WIDTH = 10.0  # heights that lines of a column have at least, unlike the cells of a table and the names of a list
_MIN_GUTTER = 1.0  # heights
_MAX_CROSSING = 0.2  # of the pieces, such as headings, may cross a gutter


def part_columns(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces as columns in reading order. What crosses a gutter, like a heading, parts what is above it
    from what is below.
    """
    gutter = _find_gutter(pieces)
    if gutter is None:
        return [list(pieces)] if pieces else []
    crossing = sorted((piece for piece in pieces if piece.left < gutter < piece.right), key=lambda piece: piece.middle)
    parts: list[list[Piece]] = []
    top = -np.inf
    for heading in [*crossing, None]:
        bottom = heading.middle if heading else np.inf
        band = [piece for piece in pieces if top < piece.middle <= bottom and piece not in crossing]
        parts += part_columns([piece for piece in band if piece.right <= gutter])
        parts += part_columns([piece for piece in band if piece.left >= gutter])
        if heading:
            parts.append([heading])
            top = bottom
    return _join_headings(parts, crossing)


def _join_headings(parts: Sequence[list[Piece]], crossing: Sequence[Piece]) -> list[list[Piece]]:
    """Return the parts with lines that cross the gutter one after another as one part."""
    joined: list[list[Piece]] = []
    for part in parts:
        is_heading = part[0] in crossing
        if is_heading and joined and joined[-1][0] in crossing:
            joined[-1] += part
        else:
            joined.append(list(part))
    return joined


def _find_gutter(pieces: Sequence[Piece]) -> float | None:
    """Return the middle of the widest gutter, x in px; None if there is none."""
    if len(pieces) < 2 * _MIN_ROWS:
        return None
    height = float(np.median([piece.height for piece in pieces]))
    edges = sorted({piece.right for piece in pieces})
    best: tuple[float, float] | None = None
    for left in edges:
        beyond = [piece.left for piece in pieces if piece.left >= left]
        if not beyond:
            continue
        width = min(beyond) - left
        middle = left + width / 2
        if width >= _MIN_GUTTER * height and (best is None or width > best[0]) and _is_gutter(pieces, middle):
            best = width, middle
    return best[1] if best else None


def _is_gutter(pieces: Sequence[Piece], x: float) -> bool:
    left, right = ([p for p in pieces if p.right <= x], [p for p in pieces if p.left >= x])
    if len(left) + len(right) < (1 - _MAX_CROSSING) * len(pieces):
        return False
    return all(_is_column(side) for side in (left, right)) and _overlap(left, right)


def _is_column(side: Sequence[Piece]) -> bool:
    return len(side) >= _MIN_ROWS and float(np.median([p.width / p.height for p in side])) >= _MIN_WIDTH


def _overlap(left: Sequence[Piece], right: Sequence[Piece]) -> bool:
    """Tell whether both sides stand beside each other, at least half of the shorter one."""
    spans = [(min(p.top for p in side), max(p.bottom for p in side)) for side in (left, right)]
    shared = min(spans[0][1], spans[1][1]) - max(spans[0][0], spans[1][0])
    return shared > 0.5 * min(bottom - top for top, bottom in spans)
