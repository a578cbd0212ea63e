"""The words of a page as invisible text of a PDF."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import PageReading, Polygon, TextLine

from ..placement import Placement, place
from ..texts import clean_text, is_right_to_left, join_words
from ..visual_order import has_right_to_left, to_visual_order
from .glyphless_font import ADVANCE

FONT_PREFIX = "HgText"
"""Of the fonts' names in a page's resources; the plane follows."""
_INVISIBLE = 3
_SPACE = (0.2, 4.0)
"""Heights of a word: least and most width of a space. Words that are nearer are narrowed, because programs join what
nearly touches, whether there is a space or not."""


class _Piece(NamedTuple):
    """A text that is written with one matrix. space: whether a space follows."""

    text: str
    where: Placement
    space: bool


class TextLayer(NamedTuple):
    """content: of a PDF's content stream, b"" without any text. planes: of Unicode, whose fonts it uses."""

    content: bytes
    planes: frozenset[int]


def make_text_layer(
    page: PageReading, to_points: NDArray[np.float64], shown: NDArray[np.float64] | None = None
) -> TextLayer:
    """Return the text of a page in reading order.

    to_points: (2, 3), maps px of the page to the PDF's coordinates. shown: (n, 2), where characters are that can be
    found already, in the PDF's coordinates; words there are left out.
    """
    planes: set[int] = set()
    rows = [row for line in page.lines for row in _write_line(line, to_points, planes, shown)]
    if not rows:
        return TextLayer(b"", frozenset())
    return TextLayer("\n".join(["q BT", f"{_INVISIBLE} Tr", *rows, "ET Q\n"]).encode("ascii"), frozenset(planes))


def _write_line(
    line: TextLine, to_points: NDArray[np.float64], planes: set[int], shown: NDArray[np.float64] | None
) -> Iterator[str]:
    pieces = [piece for piece in _find_pieces(line) if piece.text and not _is_shown(piece, to_points, shown)]
    for piece, following in zip_longest(pieces, pieces[1:]):
        start, along, up = _map(piece.where, to_points)
        length, height = math.hypot(*along), math.hypot(*up)
        matrix = " ".join(f"{value:.5f}" for value in (*along / length, *up / height))
        yield f"{matrix} {start[0]:.3f} {start[1]:.3f} Tm"
        if following is None or not piece.space:
            yield from _show(piece.text, length, height, planes)
            continue
        gap = float((_map(following.where, to_points).start - start - along) @ along) / length
        space = min(max(gap, _SPACE[0] * height), _SPACE[1] * height)
        yield from _show(piece.text, max(length - max(space - gap, 0.0), length / 2), height, planes)
        yield from _show(" ", space, height, planes)


def _is_shown(piece: _Piece, to_points: NDArray[np.float64], shown: NDArray[np.float64] | None) -> bool:
    """Return whether as many characters are shown within a piece as half of it has."""
    if shown is None or not len(shown):
        return False
    start, along, up = _map(piece.where, to_points)
    across = (shown - start) @ along / (along @ along)
    height = (shown - start) @ up / (up @ up)
    inside = (across > 0) & (across < 1) & (height > 0) & (height < 1)
    return int(inside.sum()) >= len(piece.text.replace(" ", "")) / 2


def _find_pieces(line: TextLine) -> Iterable[_Piece]:
    """Return the words of a line, or else the line, in the order in which they stand from left to right."""
    backwards = is_right_to_left(line.text)
    if not line.words:
        return [_piece(line.text, line.polygon, backwards, space=False)]
    words = [_piece(word.text, word.polygon, backwards, space=bool(gap)) for word, gap in join_words(line)]
    if not has_right_to_left(line.text):
        return words
    along = sum(piece.where.along for piece in words)
    spaced = any(piece.space for piece in words)
    return sorted((piece._replace(space=spaced) for piece in words), key=lambda piece: float(piece.where.start @ along))


def _piece(text: str, polygon: Polygon, backwards: bool, *, space: bool) -> _Piece:
    shown = to_visual_order(" ".join(clean_text(text).split()), right_to_left=backwards)
    return _Piece(shown, place(polygon), space)


def _show(text: str, length: float, height: float, planes: set[int]) -> Iterator[str]:
    """Yield what shows a text over a length. Characters share it equally: programs only need to find the words."""
    stretch = 100 * length / (len(text) * ADVANCE * height)
    yield f"{stretch:.3f} Tz"
    for plane, run in _split_by_plane(text):
        planes.add(plane)
        codes = "".join(f"{ord(character) & 0xFFFF:04X}" for character in run)
        yield f"/{FONT_PREFIX}{plane} {height:.3f} Tf <{codes}> Tj"


def _split_by_plane(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or ord(text[end]) >> 16 != ord(text[start]) >> 16:
            yield ord(text[start]) >> 16, text[start:end]
            start = end


def _map(where: Placement, to_points: NDArray[np.float64]) -> Placement:
    linear = to_points[:, :2]
    return Placement(linear @ where.start + to_points[:, 2], linear @ where.along, linear @ where.up)
