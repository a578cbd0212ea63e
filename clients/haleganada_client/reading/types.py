"""What reading returns: frozen dataclasses with the names of the contract. Importing them needs no gRPC.

Coordinates are pixels of the page as a viewer shows it; x grows to the right, y downwards. Confidences are 0..1, None
where the engine does not say. Everything is in reading order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from haleganada_client.types import ItemError, Picture

Document = Picture
"""An image or a PDF, in the same forms as a picture: its bytes, the path of its file, a binary file that is open for
reading; an image of Pillow or an array.
"""


class Point(NamedTuple):
    """A point of a page in px, from its upper left corner."""

    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class TextRegion:
    """A part of a page. text: "" if it was not read. polygon: three or more corners, clockwise, beginning where the
    text begins. confidence: how sure the engine is of the text, None if it does not say.
    """

    text: str
    polygon: tuple[Point, ...]
    confidence: float | None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The smallest upright box around it: left, top, right, bottom in px."""
        xs, ys = [point.x for point in self.polygon], [point.y for point in self.polygon]
        return min(xs, default=0.0), min(ys, default=0.0), max(xs, default=0.0), max(ys, default=0.0)


@dataclass(frozen=True, kw_only=True)
class GlyphCandidate:
    """What a glyph may be. probability: 0..1, if it is one glyph."""

    text: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class TextGlyph(TextRegion):
    """One character, or what an engine takes for one. candidates: the most probable first; () unless it was read by
    what a workspace was taught. glyph_id: names it in corrections of its page; None if it cannot be corrected. settled:
    a person has said what it is.
    """

    candidates: tuple[GlyphCandidate, ...] = ()
    glyph_id: int | None = None
    settled: bool = False


@dataclass(frozen=True, kw_only=True)
class TextWord(TextRegion):
    """One word. glyphs: () if the engine does not tell them apart."""

    glyphs: tuple[TextGlyph, ...]


@dataclass(frozen=True)
class LineAlternative:
    """A way to read a line. probability: 0..1, among those that are listed."""

    text: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class TextLine(TextRegion):
    """One line. words: () if the engine does not tell them apart. engine: the id of the one that read it, "text-layer"
    for the text that a PDF had, "" if it was not read. alternatives: the most probable first, which is its text; ()
    unless they were asked for and the engine is a model of lines.
    """

    words: tuple[TextWord, ...]
    engine: str
    alternatives: tuple[LineAlternative, ...] = ()


@dataclass(frozen=True)
class EngineChoice:
    """Why a region was read by one engine and not by another. mode: what it was taken for, "printed" or "handwritten";
    None if that did not matter.
    """

    engine: str
    reason: str
    mode: str | None


@dataclass(frozen=True)
class TextBlock:
    """Lines that belong together, for example a column. choice: None if the caller named the engine."""

    polygon: tuple[Point, ...]
    lines: tuple[TextLine, ...]
    choice: EngineChoice | None


@dataclass(frozen=True)
class StepPicture:
    """The page after one step of its preparation. image: a PNG."""

    step: str
    image: bytes = field(repr=False)


@dataclass(frozen=True)
class GlyphQuestion:
    """A glyph whose name would help most. similar_glyph_ids: others that look the same, the most similar first; they
    may get the same name. reason: "unknown" (nobody has taught it) or "unsure" (it may be one of several labels).
    """

    glyph_id: int
    similar_glyph_ids: tuple[int, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was found in a document and is kept on the server until expire_time, without its pages.

    file_name: "" if none was given. pages: the numbers of those that were read. excerpt: the beginning of the text.
    expire_time: None if it was corrected, and is kept until it is deleted. workspace: by which it was read, and which
    its corrections teach; "" = none. damaged: it can only be deleted.
    """

    reading_id: str
    file_name: str
    pages: tuple[int, ...]
    pages_total: int
    excerpt: str
    engines: tuple[str, ...]
    create_time: datetime
    expire_time: datetime | None
    size_bytes: int
    damaged: bool
    workspace: str = ""


@dataclass(frozen=True, kw_only=True)
class PageReading:
    """The text of one page. Lines of `text` end with a line feed; an empty line parts the blocks.

    page: its number, from 1. width, height: in px. turn_degrees: by how much the page had to be turned clockwise: 0,
    90, 180 or 270. skew_degrees: by how much its lines rise to the right after that; both None if nobody looked.
    step_pictures: () without debug. revision: how many corrections of the page there have been. questions: what is best
    asked next, the answer that settles most first; () if the page cannot be corrected. pages_total: of the document,
    None if it was one of many or a large one. reading: the kept one that the page belongs to, else None.
    """

    page: int
    width: int
    height: int
    text: str
    blocks: tuple[TextBlock, ...]
    turn_degrees: int | None
    skew_degrees: float | None
    elapsed_ms: float
    step_pictures: tuple[StepPicture, ...]
    revision: int = 0
    questions: tuple[GlyphQuestion, ...] = ()
    pages_total: int | None = None
    reading: Reading | None = None

    @property
    def lines(self) -> tuple[TextLine, ...]:
        """The lines of all blocks."""
        return tuple(line for block in self.blocks for line in block.lines)

    @property
    def words(self) -> tuple[TextWord, ...]:
        """The words of all lines."""
        return tuple(word for line in self.lines for word in line.words)

    @property
    def glyphs(self) -> tuple[TextGlyph, ...]:
        """The glyphs of all words."""
        return tuple(glyph for word in self.words for glyph in word.glyphs)


@dataclass(frozen=True, kw_only=True)
class ReadingCorrection:
    """A page that was corrected and read again. page: as it reads now. sample_ids: what the correction taught.
    changed_glyph_ids: the glyphs whose text has changed, among them those that were not asked for. reading: the page's.
    """

    page: PageReading
    sample_ids: tuple[int, ...]
    changed_glyph_ids: tuple[int, ...]
    reading: Reading


@dataclass(frozen=True, kw_only=True)
class PageEvaluation:
    """How right a page was, if what it says now is right. page: its number, from 1. glyphs, settled_glyphs: that it has
    now, and that people have settled. corrections: those that were not taken back. first_errors: insertions, deletions
    and replacements of glyphs that lead from its first text to the present one; unsettled_errors: the same, from what
    it would say now if nobody had settled a glyph of it, but the samples were taught.
    """

    page: int
    glyphs: int
    settled_glyphs: int
    corrections: int
    first_errors: int
    unsettled_errors: int


@dataclass(frozen=True, kw_only=True)
class DocumentPage:
    """A page of one of many documents, as soon as it is done. index: the document's place among them, from 0. name: the
    path that it was given by, else "". number: of the page, from 1. page: None if the page could not be read; error
    says why. pages_total: number of pages of the document that are read in all.
    """

    index: int
    name: str
    number: int
    page: PageReading | None
    error: ItemError | None
    pages_total: int


OnPage = Callable[[DocumentPage], None]
"""Called with each page as soon as it is done."""


@dataclass(frozen=True)
class PageError:
    """Why one page could not be read. page: its number, from 1."""

    page: int
    error: ItemError


@dataclass(frozen=True, kw_only=True)
class DocumentReading:
    """One of many documents, when all its pages are done. index: its place among them, from 0. name: the path that it
    was given by, else "".

    pages: those that were read, by number; () where on_page got them. page_errors: the pages that could not be read.
    error: why no page could be read, else None. reading: None without keep.
    """

    index: int
    name: str
    pages: tuple[PageReading, ...]
    page_errors: tuple[PageError, ...]
    pages_read: int
    pages_failed: int
    error: ItemError | None
    reading: Reading | None

    @property
    def text(self) -> str:
        """The text of its pages; a form feed parts them."""
        return "\f".join(page.text for page in self.pages)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A program that reads text. engine: its id. version: "" if it is not installed. languages: those that are
    installed for it. install_hint: what to install on the server to use it, or to add languages to it.
    """

    engine: str
    display_name: str
    version: str
    modes: tuple[str, ...]
    languages: tuple[str, ...]
    installed: bool
    install_hint: str


@dataclass(frozen=True)
class PageImage:
    """A picture of a page. image: a JPEG of width x height px."""

    image: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class ReadingFile:
    """A reading that was written to a file. file_name: the server's name for it, with the extension of its format;
    sha256 was checked against what arrived.
    """

    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
