"""The text of one page: blocks of lines of words of glyphs, all in reading order.

Polygons are in px of the page as a viewer shows it; x grows to the right, y downwards. A confidence is 0 to 1, None
where the engine does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .options import ReadMode

Point = tuple[float, float]
Polygon = tuple[Point, ...]
"""Three or more corners, clockwise, beginning where the text begins."""

TEXT_LAYER = "text-layer"
"""Stands for an engine in lines that a PDF had as text already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GlyphCandidate:
    """What a glyph may be. probability: 0 to 1, if it is one glyph."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGlyph:
    """One character, or what an engine takes for one. text: "" if it was not read. candidates: the most probable first;
    empty if the engine does not say. glyph_id: names it in corrections; None if it cannot be corrected. is_settled:
    whether a person has said what it is.
    """

    text: str
    polygon: Polygon
    confidence: float | None = None
    candidates: tuple[GlyphCandidate, ...] = ()
    glyph_id: int | None = None
    is_settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWord:
    """One word. glyphs: empty if the engine does not tell them apart."""

    text: str
    polygon: Polygon
    confidence: float | None = None
    glyphs: tuple[TextGlyph, ...] = ()


@dataclass(frozen=True, slots=True)
class LineAlternative:
    """A way to read a line. probability: 0 to 1, among those that are listed."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One line. words: empty if the engine does not tell them apart. engine: the id of the one that read it,
    TEXT_LAYER, or "" if the line was found and not read. alternatives: the most probable first, which is its text;
    empty unless they were asked for.
    """

    text: str
    polygon: Polygon
    confidence: float | None = None
    words: tuple[TextWord, ...] = ()
    engine: str = ""
    alternatives: tuple[LineAlternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """Why a region was read by one engine and not by another. mode: what it was taken for; None if that did not
    matter.
    """

    engine: str
    reason: str
    mode: ReadMode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """Lines that belong together, for example a column or a paragraph. choice: None if the caller named the engine."""

    polygon: Polygon
    lines: tuple[TextLine, ...]
    choice: EngineChoice | None = None

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True, eq=False)
class StepPicture:
    """A picture of the page after one step of its preparation. image: a PNG."""

    step: str
    image: bytes


class QuestionKind(str, Enum):
    """Why a glyph is asked for."""

    UNKNOWN = "unknown"
    """Nobody has taught it."""
    UNSURE = "unsure"
    """It may be something else than was read."""


@dataclass(frozen=True, slots=True)
class Question:
    """glyph_id: what to ask for. similar: others that seem to be the same, the most similar first."""

    glyph_id: int
    similar: tuple[int, ...]
    kind: QuestionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """The text of one page. page: its number, from 1. width, height: in px. turn_degrees: 0, 90, 180 or 270, clockwise.
    skew_degrees: by how much its lines rise to the right after the turn; both None if nobody looked. revision: how many
    corrections there have been. questions: what is best asked next; empty if the page cannot be corrected.
    """

    page: int
    width: int
    height: int
    blocks: tuple[TextBlock, ...]
    turn_degrees: int | None = None
    skew_degrees: float | None = None
    elapsed_ms: float = 0.0
    step_pictures: tuple[StepPicture, ...] = ()
    revision: int = 0
    questions: tuple[Question, ...] = ()

    @property
    def text(self) -> str:
        """All text: lines end with a line feed; an empty line parts the blocks."""
        return "\n".join(f"{block.text}\n" for block in self.blocks if block.lines)

    @property
    def lines(self) -> tuple[TextLine, ...]:
        return tuple(line for block in self.blocks for line in block.lines)

    @property
    def glyphs(self) -> tuple[TextGlyph, ...]:
        return tuple(glyph for line in self.lines for word in line.words for glyph in word.glyphs)
