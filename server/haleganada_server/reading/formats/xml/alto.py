"""ALTO 4.4: one file for each page, in pixels."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from haleganada_server.core.reading.page import PageReading, Polygon, TextBlock, TextGlyph, TextLine, TextWord

from ..kept import KeptReading
from ..outlines import round_points, surround
from ..texts import clean_text, is_right_to_left, join_words
from .files import add, new_root, write_pages

_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    return write_pages(reading, target, "alto", _to_xml)


def _to_xml(reading: KeptReading, page: PageReading) -> ET.Element:
    root = new_root("alto", _NAMESPACE, _SCHEMA, SCHEMAVERSION="4.4")
    description = add(root, "Description")
    add(description, "MeasurementUnit", "pixel")
    add(add(description, "sourceImageInformation"), "fileName", reading.name)
    engines = sorted({line.engine for line in page.lines if line.engine})
    for number, engine in enumerate(engines, start=1):
        processing = add(description, "Processing", ID=f"processing_{number}")
        add(processing, "processingCategory", "contentGeneration")
        add(add(processing, "processingSoftware"), "softwareName", engine)
    size = {"WIDTH": page.width, "HEIGHT": page.height}
    layout = add(root, "Layout")
    element = add(layout, "Page", ID=f"page_{page.page}", PHYSICAL_IMG_NR=page.page, **size)
    space = add(element, "PrintSpace", HPOS=0, VPOS=0, **size)
    references = {engine: f"processing_{number}" for number, engine in enumerate(engines, start=1)}
    for number, block in enumerate(page.blocks, start=1):
        _PageWriter(page, references).add_block(space, block, f"{page.page}_{number}")
    return root


class _PageWriter:
    """Adds the elements of a page. processing: the ID of the step that stands for each engine."""

    def __init__(self, page: PageReading, processing: dict[str, str]) -> None:
        self._page = page
        self._processing = processing

    def add_block(self, space: ET.Element, block: TextBlock, number: str) -> None:
        element = add(space, "TextBlock", ID=f"block_{number}", ROTATION=_rotation(self._page))
        self._place(element, block.polygon)
        for place, line in enumerate(block.lines, start=1):
            self._add_line(element, line, f"{number}_{place}")

    def _add_line(self, block: ET.Element, line: TextLine, number: str) -> None:
        direction = "rtl" if is_right_to_left(line.text) else None
        step = self._processing.get(line.engine)
        element = add(block, "TextLine", ID=f"line_{number}", PROCESSINGREFS=step, BASEDIRECTION=direction)
        self._place(element, line.polygon)
        if not line.words:
            whole = TextWord(text=line.text, polygon=line.polygon, confidence=line.confidence)
            self._add_word(element, whole, f"{number}_1")
        for place, (word, gap) in enumerate(join_words(line), start=1):
            self._add_word(element, word, f"{number}_{place}")
            if gap:
                add(element, "SP")

    def _add_word(self, line: ET.Element, word: TextWord, number: str) -> None:
        element = add(line, "String", ID=f"word_{number}", CONTENT=word.text, WC=_fraction(word.confidence))
        self._place(element, word.polygon)
        if all(len(clean_text(glyph.text)) == 1 for glyph in word.glyphs):  # ALTO has no others
            for place, glyph in enumerate(word.glyphs, start=1):
                self._add_glyph(element, glyph, f"{number}_{place}")

    def _add_glyph(self, word: ET.Element, glyph: TextGlyph, number: str) -> None:
        element = add(word, "Glyph", ID=f"glyph_{number}", CONTENT=glyph.text, GC=_fraction(glyph.confidence))
        self._place(element, glyph.polygon)

    def _place(self, element: ET.Element, polygon: Polygon) -> None:
        """Give an element its box and its outline."""
        width, height = self._page.width, self._page.height
        box = surround(polygon, width, height)
        for name, value in (("HPOS", box.left), ("VPOS", box.top), ("WIDTH", box.width), ("HEIGHT", box.height)):
            element.set(name, str(value))
        points = " ".join(f"{x},{y}" for x, y in round_points(polygon, width, height))
        add(add(element, "Shape"), "Polygon", POINTS=points)


def _rotation(page: PageReading) -> str | None:
    """Return by how many degrees the text stands counterclockwise, 0 to 360; None if it is upright or nobody looked."""
    degrees = round(((page.turn_degrees or 0) + (page.skew_degrees or 0.0)) % 360, 2)
    return f"{degrees:g}" if degrees else None


def _fraction(confidence: float | None) -> str | None:
    return None if confidence is None else f"{confidence:.4f}"
