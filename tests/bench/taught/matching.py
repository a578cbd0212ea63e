"""How much of a page was found and named, glyph by glyph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.taught.pages import Truth

_SAME = 0.8  # of the width of both together, by which a glyph that was read must overlap a real one

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class ReadGlyph:
    """A glyph that was read. text: "" if it is unknown."""

    text: str
    box: Box


@dataclass(frozen=True)
class Match:
    """true: glyphs on pages. read: glyphs that were read. found: those that are both. named: with the right label."""

    true: int = 0
    read: int = 0
    found: int = 0
    named: int = 0

    def __add__(self, other: Match) -> Match:
        return Match(self.true + other.true, self.read + other.read, self.found + other.found, self.named + other.named)

    @property
    def f1(self) -> float:
        """Of the segmentation."""
        return 2 * self.found / max(1, self.true + self.read)


def match(truth: Sequence[Truth], read: Sequence[ReadGlyph]) -> Match:
    """Compare a page with what was read. Each glyph is found at most once."""
    rest = list(read)
    found = named = 0
    for glyph in truth:
        hit = next((one for one in rest if is_same(one.box, glyph.box)), None)
        if hit is not None:
            rest.remove(hit)
            found, named = found + 1, named + (hit.text == glyph.label)
    return Match(len(truth), len(read), found, named)


def is_same(a: Box, b: Box) -> bool:
    middle = (a[1] + a[3]) / 2
    if not b[1] - (b[3] - b[1]) / 3 <= middle <= b[3] + (b[3] - b[1]) / 3:
        return False
    return min(a[2], b[2]) - max(a[0], b[0]) > _SAME * (max(a[2], b[2]) - min(a[0], b[0]))
