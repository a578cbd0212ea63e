"""How right a page was: its first text, and its text without what people have settled, beside the present one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haleganada_server.core.reading.page import PageReading


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEvaluation:
    """page: its number. glyphs, settled_glyphs: that it has now. corrections: that were not taken back. first_errors,
    unsettled_errors: insertions, deletions and replacements of glyphs that lead to the present text from the first one,
    and from what it would say now if nobody had settled a glyph of it.
    """

    page: int
    glyphs: int
    settled_glyphs: int
    corrections: int
    first_errors: int
    unsettled_errors: int


def count_errors(read: PageReading, right: PageReading) -> int:
    """Return the edit distance between the glyphs of two readings of a page."""
    return edit_distance([glyph.text for glyph in read.glyphs], [glyph.text for glyph in right.glyphs])


def edit_distance(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many insertions, deletions and replacements lead from one sequence to another (Levenshtein)."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys([*first, *second]))}
    target = np.array([numbers[text] for text in second], np.intp)
    steps = np.arange(len(second) + 1)
    row = steps
    for count, text in enumerate(first, 1):
        above = np.minimum(row[1:] + 1, row[:-1] + (target != numbers[text]))
        # an insertion costs one more than what is to its left: a running minimum after the steps are taken off
        row = np.minimum.accumulate(np.concatenate([[count], above]) - steps) + steps
    return int(row[-1])
