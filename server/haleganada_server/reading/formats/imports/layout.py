"""Where the words of a page stand, if there are only their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ..outlines import Box
from ..texts import is_right_to_left
from .word_list import ListedWord

_MARGIN = 40  # px
_GAP = 0.35  # between words, in heights of their line
_LEADING = 0.5  # between lines, in their heights
_WIDTH = 2_000  # px of a line, if nothing tells where lines end
_TOLERANCE = 2  # px by which a picture's size may differ from its box

Size = tuple[int, int]
"""Width, height in px."""


def lay_out(words: Sequence[ListedWord], sizes: Sequence[Size]) -> list[Box]:
    """Return a box for each word: those of words.txt if they fit the pictures, else lines one below another.

    sizes: of the words' pictures.
    """
    known = [word.box for word in words if word.box is not None]
    if len(known) == len(words) and all(_fits(box, size) for box, size in zip(known, sizes, strict=True)):
        return known
    boxes: list[Box] = []
    top = _MARGIN
    for row in _split_into_lines(words, sizes):
        height = max(sizes[n][1] for n in row)
        boxes += _lay_out_line([sizes[n] for n in row], top, height, is_right_to_left(words[row[0]].text))
        top += height + max(1, round(_LEADING * height))
    return boxes


def page_size(boxes: Sequence[Box]) -> Size:
    """Return the size of a page that has all boxes and a margin."""
    return max(box.right for box in boxes) + _MARGIN, max(box.bottom for box in boxes) + _MARGIN


def _fits(box: Box, size: Size) -> bool:
    return abs(box.width - size[0]) <= _TOLERANCE and abs(box.height - size[1]) <= _TOLERANCE


def _split_into_lines(words: Sequence[ListedWord], sizes: Sequence[Size]) -> list[list[int]]:
    """Return the numbers of the words of each line."""
    if all(word.line is not None for word in words):
        numbers = range(len(words))
        return [list(group) for _, group in groupby(numbers, key=lambda number: words[number].line)]
    lines: list[list[int]] = [[]]
    used = 0
    for number, (width, height) in enumerate(sizes):
        if lines[-1] and used + width > _WIDTH:
            lines.append([])
            used = 0
        lines[-1].append(number)
        used += width + round(_GAP * height)
    return lines


def _lay_out_line(sizes: Sequence[Size], top: int, height: int, backwards: bool) -> list[Box]:
    """Return boxes that stand on one line, from the right if `backwards`."""
    gap = max(1, round(_GAP * height))
    boxes, left = [], _MARGIN
    for width, tall in sizes[:: -1 if backwards else 1]:
        boxes.append(Box(left, top + height - tall, left + width, top + height))
        left += width + gap
    return boxes[:: -1 if backwards else 1]
