"""Makes lines of words of the glyphs that were found on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import (
    GlyphCandidate,
    PageReading,
    Polygon,
    TextBlock,
    TextGlyph,
    TextLine,
    TextWord,
)

from .directions import measure_gaps
from .lattice import GlyphLattice
from .page import TaughtPage

TAUGHT = "taught"
"""The id of this way of reading among the engines."""

NOT_READ = "\N{REPLACEMENT CHARACTER}"
"""Stands in lines and words for a glyph that nobody has taught."""

_WORD_GAP = 0.35  # letter heights: the least gap between words
_CLEARLY = 2.0  # gaps between words are so many times as wide as those between glyphs

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class FoundGlyph:
    """A group that is a glyph. group: its number in the lattice; glyph_id: its id. text: "" if it is none that was
    taught. confidence: that all of this is right. is_settled: whether a person has said so.
    """

    group: int
    text: str
    confidence: float
    candidates: tuple[GlyphCandidate, ...]
    glyph_id: int | None = None
    is_settled: bool = False


def assemble(page: TaughtPage, glyphs: Sequence[FoundGlyph], *, are_names: bool) -> PageReading:
    """Return the text of a page. glyphs: in order. are_names: their labels are names, which spaces must part."""
    frame = page.frame
    return PageReading(
        page=frame.page,
        width=frame.width,
        height=frame.height,
        blocks=tuple(_Assembly(page, are_names).make_blocks(glyphs)) if glyphs else (),
        turn_degrees=frame.turn_degrees,
        skew_degrees=frame.skew_degrees,
    )


def forget_text(reading: PageReading) -> PageReading:
    """Return the lines, words and glyphs of a page as found, and not as read."""

    def forget(word: TextWord) -> TextWord:
        glyphs = tuple(TextGlyph(text="", polygon=glyph.polygon) for glyph in word.glyphs)
        return TextWord(text="", polygon=word.polygon, glyphs=glyphs)

    return _change_lines(
        reading, lambda line: TextLine(text="", polygon=line.polygon, words=tuple(map(forget, line.words)))
    )


def forget_ids(reading: PageReading) -> PageReading:
    """Return a page that is not kept, so that its glyphs cannot be corrected."""

    def forget(word: TextWord) -> TextWord:
        return replace(word, glyphs=tuple(replace(glyph, glyph_id=None) for glyph in word.glyphs))

    return _change_lines(reading, lambda line: replace(line, words=tuple(map(forget, line.words))))


def _change_lines(reading: PageReading, change: Callable[[TextLine], TextLine]) -> PageReading:
    blocks = (replace(block, lines=tuple(map(change, block.lines))) for block in reading.blocks)
    return replace(reading, blocks=tuple(blocks))


class _Assembly:
    def __init__(self, page: TaughtPage, are_names: bool) -> None:
        self._frame, self._lattice = page.frame, page.lattice
        self._within, self._between = (" ", "  ") if are_names else ("", " ")

    def make_blocks(self, glyphs: Sequence[FoundGlyph]) -> Iterable[TextBlock]:
        groups = np.array([glyph.group for glyph in glyphs])
        boxes = self._lattice.group_boxes[groups]
        lines, is_apart = find_breaks(self._lattice, groups)
        made = []
        for line in np.unique(lines):
            own = np.flatnonzero(lines == line)
            made.append((int(self._lattice.line_blocks[line]), *self._make_line(glyphs, boxes, own, is_apart)))
        for block in sorted({number for number, _, _ in made}):
            members = [(line, box) for number, line, box in made if number == block]
            yield TextBlock(
                polygon=self._polygon(_around([box for _, box in members])), lines=tuple(line for line, _ in members)
            )

    def _make_line(
        self, glyphs: Sequence[FoundGlyph], boxes: NDArray[np.int32], own: NDArray[np.intp], is_apart: NDArray[np.bool_]
    ) -> tuple[TextLine, Box]:
        """own: the numbers of the line's glyphs. is_apart: (glyphs,) whether a gap parts each from that before it."""
        breaks = np.flatnonzero(is_apart[own[1:]]) + 1
        words = [self._make_word(glyphs, boxes, some.tolist()) for some in np.split(own, breaks)]
        box = _around(boxes[own].tolist())
        return TextLine(
            text=self._between.join(word.text for word in words),
            polygon=self._polygon(box),
            confidence=_mean([glyphs[i].confidence for i in own]),
            words=tuple(words),
            engine=TAUGHT,
        ), box

    def _make_word(self, glyphs: Sequence[FoundGlyph], boxes: NDArray[np.int32], own: Sequence[int]) -> TextWord:
        return TextWord(
            text=self._within.join(glyphs[i].text or NOT_READ for i in own),
            polygon=self._polygon(_around(boxes[own].tolist())),
            confidence=_mean([glyphs[i].confidence for i in own]),
            glyphs=tuple(
                TextGlyph(
                    text=glyphs[i].text,
                    polygon=self._polygon(boxes[i].tolist()),
                    confidence=glyphs[i].confidence,
                    candidates=glyphs[i].candidates,
                    glyph_id=glyphs[i].glyph_id,
                    is_settled=glyphs[i].is_settled,
                )
                for i in own
            ),
        )

    def _polygon(self, box: Sequence[int]) -> Polygon:
        left, top, right, bottom = box
        a, b, c, d, e, f = self._frame.to_page
        return (
            (a * left + b * top + c, d * left + e * top + f),
            (a * right + b * top + c, d * right + e * top + f),
            (a * right + b * bottom + c, d * right + e * bottom + f),
            (a * left + b * bottom + c, d * left + e * bottom + f),
        )


def find_breaks(lattice: GlyphLattice, groups: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the line of each glyph of a page, and whether a gap between words parts it from the one before it, both
    (n,). groups: (n,) all of its glyphs, in order.
    """
    first_parts = lattice.groups[groups, 0]
    lines = np.searchsorted(lattice.line_starts, first_parts, side="right") - 1
    gaps = measure_gaps(lattice.group_boxes[groups], lattice.find_directions(first_parts))
    return lines, gaps > find_word_gap(gaps, lines, lattice.letter)


def find_word_gap(gaps: NDArray[np.int32], lines: NDArray[np.intp], letter: float) -> float:
    """Return the width in px above which a gap between glyphs parts words: between the narrower and the wider gaps of a
    page, told apart by Otsu's method; infinite where all are of one kind. gaps: (n,) before each glyph, in order.
    lines: (n,).
    """
    gaps = gaps[1:][lines[1:] == lines[:-1]]
    if len(gaps) < 2:
        return np.inf
    widths = np.sort(np.clip(gaps, 0, 2 * letter)).astype(np.float64)
    counts = np.arange(1, len(widths))
    lower = np.cumsum(widths)[:-1] / counts
    upper = (widths.sum() - np.cumsum(widths)[:-1]) / (len(widths) - counts)
    split = int(np.argmax(counts * (len(widths) - counts) * (upper - lower) ** 2))
    gap = (widths[split] + widths[split + 1]) / 2
    is_clear = upper[split] > _CLEARLY * lower[split] + 0.1 * letter and gap >= _WORD_GAP * letter
    return float(gap) if is_clear else np.inf


def _around(boxes: Sequence[Sequence[int]]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
