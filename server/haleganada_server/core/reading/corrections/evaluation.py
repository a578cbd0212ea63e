"""How right a page was: its first text, and its text without what people have settled, beside the present one."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.lines.edits import edit_distance
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
