"""Columns of text, found by the white gutters between them (after Breuel, "Two geometric algorithms for layout
analysis", 2002).

A gutter is a tall white rectangle with prose on both sides. It parts the page into what is above it, the columns left
and right of it, and what is below it; each of these may have gutters of its own. Together they always cover the whole
page, so that nothing is lost. Tables, margins and notes beside the text are no columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import Ink, Parts
from .prepared import Box

# In heights of the usual letter:
_GUTTER = 1.8  # least width of a gutter
_RUN = 12.0  # least height of a gutter
_NARROW_GUTTER = 0.6  # least width of one that runs down most of the page, where no gaps between words do
_FLUSH = 3.0  # from a gutter to where the lines of one side of it begin or end, at most
_LINE_GAP = 1.5  # from the end of a gutter to where no line is, at most
_COLUMN = 12.0  # least width of a column
_STRIP = 24.0  # what is looked at on each side of a gutter
_SPECK = 0.3  # what is smaller is dirt, which would close gutters
_GAP = 2.0  # widest gap between words
_MIN_LINES = 4  # on each side of a gutter
_HEADING_LINES = 2  # at most
_LINE = 0.35
"""Ink of a row of px, as a part of the most that rows have, from which on it belongs to a line."""
_REACHED = 0.3
"""Part of the lines that reach the edge of a column; the others are shorter."""
_FILLED = 0.55
"""Part of the width of a column that most of its lines fill; cells of tables fill less."""
_PAGE_RUN, _NARROW_PAGE_RUN = 0.15, 0.5
"""Least height of a gutter, and of a narrow one, as a part of the page's."""
_MAX_DEPTH = 6

_Part = tuple[int, int, int, int]
"""Left, top, right, bottom in px of the reduced page."""


def find_columns(parts: Parts, size: tuple[int, ...]) -> tuple[Box, ...]:
    """Return where text stands, in reading order. parts: of the ink. size: width and height of the picture in px."""
    height, width = parts.ink.shape
    boxes = [(0, 0, width, height)]
    if (letter := parts.find_letter_height()) is not None:
        boxes = list(_Parting(parts.drop_large(_SPECK * letter), letter).part(boxes[0], 0))
    across, down = size[0] / width, size[1] / height
    return tuple((left * across, top * down, right * across, bottom * down) for left, top, right, bottom in boxes)


class _Parting:
    """Parts a page. text: its letters. letter: their usual height in px."""

    def __init__(self, text: Ink, letter: float) -> None:
        self._text = text > 0
        gap = 2 * round(_GAP * letter / 2) + 1
        joined = cv2.morphologyEx(text, cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8))
        self._lines = np.asarray(joined) > 0
        self._letter = letter
        self._strip = round(_STRIP * letter)
        run, height = _RUN * letter, text.shape[0]
        self._gutters = (  # least width and height in px
            (max(3, round(_GUTTER * letter)), max(run, _PAGE_RUN * height)),
            (max(3, round(_NARROW_GUTTER * letter)), max(run, _NARROW_PAGE_RUN * height)),
        )

    def part(self, box: _Part, depth: int) -> Iterator[_Part]:
        """Yield the parts of a part of the page, in reading order."""
        gutter = self._find_gutter(box) if depth < _MAX_DEPTH else None
        if gutter is None:
            yield box
            return
        left, top, right, bottom = box
        x, above, below = gutter
        inner = [(left, above, x, below), (x, above, right, below)]
        outer = [(left, top, right, above)], [(left, below, right, bottom)]
        for part in (*outer[0], *inner, *outer[1]):
            if part[3] > part[1] and (part in inner or self._text[part[1] : part[3], left:right].any()):
                yield from self.part(part, depth + 1)

    def _find_gutter(self, box: _Part) -> tuple[int, int, int] | None:
        """Return x, upper and lower end of the tallest gutter. A narrow one must pass more lines than a wide one, by
        more than a heading has, because it may go through a gap between words of that.
        """
        wide, narrow = (max(self._find_gutters(box, *least), key=_height, default=None) for least in self._gutters)
        if wide is None or narrow is None:
            return wide or narrow
        x, above, below = narrow
        more = self._count_lines(x, above, wide[1]) + self._count_lines(x, wide[2], below)
        return narrow if more > _HEADING_LINES else wide

    def _count_lines(self, x: int, top: int, bottom: int) -> int:
        """Return how many lines there are beside a gutter, on the side with more of them."""
        sides = slice(max(0, x - self._strip), x), slice(x, x + self._strip)
        return max(_count_runs(np.any(self._text[top:bottom, side], axis=1)) for side in sides) if bottom > top else 0

    def _find_gutters(self, box: _Part, width: int, run: float) -> Iterator[tuple[int, int, int]]:
        """Yield x, upper and lower end of the gutters of so many px at least."""
        left, top, right, bottom = box
        text = self._text[top:bottom, left:right]
        if text.shape[1] < width or text.shape[0] < run:
            return
        heights, ends = _find_runs(~_widen(text, width))
        tall = heights >= run
        starts = np.flatnonzero(np.diff(np.concatenate([[0], tall.view(np.int8), [0]])))
        for first, last in starts.reshape(-1, 2):
            plateau = np.flatnonzero(heights[first:last] == heights[first:last].max())
            edges = int(left + first + plateau[0]), int(left + first + plateau[-1])
            x = sum(edges) // 2
            below = top + int(ends[x - left])
            rows = self._fit_between_lines(box, below - int(heights[x - left]), below)
            before = slice(max(left, edges[0] - self._strip), edges[0])
            after = slice(edges[1], min(right, edges[1] + self._strip))
            if rows.stop - rows.start >= run and self._parts_prose(rows, before, after):
                yield x, rows.start, rows.stop

    def _fit_between_lines(self, box: _Part, above: int, below: int) -> slice:
        """Return the rows of a gutter, up and down to the ends of the part where no more line of text is, and else to
        where its ends would cut through no line. They are none where that is too far away.
        """
        left, top, right, bottom = box
        blank = ~np.any(self._text[top:bottom, left:right], axis=1)
        if above - top < self._letter or blank[: above - top].all():
            above = top
        else:
            above += _find_first(blank[above - top :], _LINE_GAP * self._letter)
        if bottom - below < self._letter or blank[below - top :].all():
            below = bottom
        else:
            below -= _find_first(blank[: below - top][::-1], _LINE_GAP * self._letter)
        return slice(above, max(above, below))

    def _parts_prose(self, down: slice, before: slice, after: slice) -> bool:
        """Whether there is prose on both sides of a gutter, and that on one of them reaches it, line by line."""
        ends, starts = self._find_prose(down, before), self._find_prose(down, after)
        if ends is None or starts is None:
            return False
        return bool(min(before.stop - ends.stop, starts.start - after.start) <= _FLUSH * self._letter)

    def _find_prose(self, down: slice, across: slice) -> slice | None:
        """Return where in a strip lines start and end, if they stand one below the other and fill the part of a column
        beside a gutter.
        """
        inked = self._text[down, across].sum(axis=1)
        rows = inked > _LINE * np.percentile(inked, 95)  # those of lines, without what stands between them
        if _count_runs(rows) < _MIN_LINES:
            return None
        lines = self._lines[down, across][rows]
        places = np.flatnonzero(lines.mean(axis=0) >= _REACHED)
        if not places.size or places[-1] - places[0] < _COLUMN * self._letter:
            return None
        if np.median(lines.sum(axis=1)) < _FILLED * (places[-1] - places[0]):
            return None
        return slice(across.start + int(places[0]), across.start + int(places[-1]) + 1)


def _widen(text: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Return where there is text within width / 2 to the left or right."""
    return np.asarray(cv2.dilate(text.view(np.uint8), np.ones((1, width), np.uint8))) > 0


def _height(gutter: tuple[int, int, int]) -> int:
    _, above, below = gutter
    return below - above


def _count_runs(values: NDArray[np.bool_]) -> int:
    """Return how many runs of true values there are."""
    return int(np.count_nonzero(np.diff(values.astype(np.int8), prepend=0) == 1))


def _find_first(blank: NDArray[np.bool_], most: float) -> int:
    """Return how many rows come before a blank one; all of them where those are more than `most`."""
    before = int(blank.argmax()) if blank.any() else len(blank)
    return before if before <= most else len(blank)


def _find_runs(free: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return height and lower end of the tallest free run of each column of px."""
    run = np.zeros(free.shape[1], np.int64)
    heights, ends = run.copy(), run.copy()
    for y, row in enumerate(free):
        run = (run + 1) * row
        taller = run > heights
        heights[taller], ends[taller] = run[taller], y + 1
    return heights, ends
