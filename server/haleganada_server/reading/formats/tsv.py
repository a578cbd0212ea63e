"""A table of boxes with the columns of Tesseract's TSV, and one more for glyphs.

Unlike Tesseract's, a confidence is 0 to 1, and empty where it is unknown. Levels: 1 page, 2 block, 4 line, 5 word,
6 glyph; level 3, the paragraph, has no rows of its own, and its number is always 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from haleganada_server.core.reading.page import PageReading, Polygon

from .kept import KeptReading
from .outlines import surround
from .texts import on_one_line

COLUMNS = (
    "level", "page_num", "block_num", "par_num", "line_num", "word_num",
    "left", "top", "width", "height", "conf", "text", "glyph_num",
)  # fmt: skip
_BLOCK, _LINE, _WORD, _GLYPH = 2, 4, 5, 6


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    with target.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for page in reading.pages():
            file.writelines(_rows(page))
    return f"{reading.stem}.tsv", "text/tab-separated-values; charset=utf-8"


def _rows(page: PageReading) -> Iterator[str]:
    def row(level: int, polygon: Polygon, numbers: tuple[int, ...], confidence: float | None, text: str) -> str:
        block, line, word, glyph = (*numbers, 0, 0, 0)[:4]
        box = surround(polygon, page.width, page.height)
        sure = "" if confidence is None else f"{confidence:.4f}"
        values = (level, page.page, block, int(block > 0), line, word, *box[:2], box.width, box.height, sure)
        return "\t".join(str(value) for value in (*values, on_one_line(text), glyph)) + "\n"

    yield row(1, ((0, 0), (page.width, page.height)), (0,), None, "")
    for b, block in enumerate(page.blocks, start=1):
        yield row(_BLOCK, block.polygon, (b,), None, "")
        for n, line in enumerate(block.lines, start=1):
            yield row(_LINE, line.polygon, (b, n), line.confidence, line.text)
            for w, word in enumerate(line.words, start=1):
                yield row(_WORD, word.polygon, (b, n, w), word.confidence, word.text)
                for g, glyph in enumerate(word.glyphs, start=1):
                    yield row(_GLYPH, glyph.polygon, (b, n, w, g), glyph.confidence, glyph.text)
