"""Pages for tests: what engines return, in all its variety, and readings on disk that have them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import (
    EngineChoice,
    PageReading,
    Polygon,
    TextBlock,
    TextGlyph,
    TextLine,
    TextWord,
)
from haleganada_server.reading.formats.kept import write_page


def box(left: float, top: float, width: float, height: float) -> Polygon:
    return ((left, top), (left + width, top), (left + width, top + height), (left, top + height))


def line_of(text: str, left: float, top: float, *, size: float = 20, confidence: float | None = 0.5) -> TextLine:
    """Return a line whose characters are size / 2 px wide; its words are the text's, in their order, left to right."""
    words, at = [], left
    for word in text.split(" "):
        width = len(word) * size / 2
        words.append(TextWord(text=word, polygon=box(at, top, width, size), confidence=confidence))
        at += width + size / 2
    outline = box(left, top, at - left - size / 2, size)
    return TextLine(text=text, polygon=outline, confidence=confidence, words=tuple(words), engine="tesseract")


def block_of(*lines: TextLine) -> TextBlock:
    xs, ys = zip(*(point for line in lines for point in line.polygon), strict=True)
    return TextBlock(polygon=box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)), lines=lines)


def page_of(*lines: TextLine, page: int = 1, width: int = 600, height: int = 400) -> PageReading:
    return PageReading(page=page, width=width, height=height, blocks=(block_of(*lines),) if lines else ())


def varied_page(page: int = 1) -> PageReading:
    """A page with what is hard to write: markup, Kannada with glyphs, right to left, no words, nothing read, tilted,
    outside of the page, control characters, unknown confidences.
    """
    glyphs = (
        TextGlyph(text="ಕ್ಷ", polygon=box(30, 100, 18, 20), confidence=0.75),
        TextGlyph(text="ಮೆ", polygon=box(50, 100, 20, 20)),
    )
    kannada = TextWord(text="ಕ್ಷಮೆ", polygon=box(30, 100, 40, 20), confidence=0.9, glyphs=glyphs)
    letters = tuple(TextGlyph(text=c, polygon=box(80 + 10 * n, 100, 9, 20)) for n, c in enumerate("nai\u0308ve"))
    naive = TextWord(text="nai\u0308ve", polygon=box(80, 100, 60, 20), glyphs=letters)
    unread = TextWord(text="", polygon=box(-7, 280, 9, 20))
    tilted: Polygon = ((30.4, 200.2), (129.6, 190.1), (131.6, 210), (32.4, 220.1))
    return PageReading(
        page=page,
        width=600,
        height=400,
        turn_degrees=90,
        skew_degrees=-1.25,
        elapsed_ms=12.3,
        blocks=(
            TextBlock(
                polygon=box(30, 50, 200, 80),
                lines=(
                    line_of('a<b> "c" & \'d\' ]]>', 30, 50),
                    TextLine(text="ಕ್ಷಮೆ nai\u0308ve", polygon=box(30, 100, 110, 20), words=(kannada, naive)),
                ),
                choice=EngineChoice(engine="tesseract", reason="Kannada letters", mode=ReadMode.PRINTED),
            ),
            TextBlock(
                polygon=box(20, 180, 300, 100),
                lines=(
                    TextLine(text="no words\there", polygon=tilted, confidence=0.25, engine="ppocr"),
                    line_of("שלום עולם", 30, 240, confidence=None),
                    TextLine(text="", polygon=box(-7, 280, 620, 20), words=(unread,)),
                    line_of("ctrl\x00\x0b\x1fl\ud800 \U0001f600\ufffe", 30, 320),
                ),
            ),
        ),
    )  # fmt: skip


def keep(folder: Path, pages: Iterable[PageReading], document: bytes = b"") -> Path:
    """Make a reading's folder as the server does, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "document").write_bytes(document)
    for page in pages:
        write_page(folder, page)
    return folder
