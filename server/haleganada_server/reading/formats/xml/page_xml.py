"""PAGE XML 2019-07-15: one file for each page, with its reading order."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import PageReading, Polygon, TextBlock, TextGlyph, TextLine, TextWord

from ..kept import KeptReading
from ..outlines import round_points
from ..texts import is_right_to_left
from .files import add, new_root, write_pages

_NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
_SCHEMA = f"{_NAMESPACE}/pagecontent.xsd"
_PRODUCTION = {ReadMode.PRINTED: "printed"}  # of handwriting, the format wants to know the kind


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    return write_pages(reading, target, "page", _to_xml)


def _to_xml(reading: KeptReading, page: PageReading) -> ET.Element:
    root = new_root("PcGts", _NAMESPACE, _SCHEMA)
    metadata = add(root, "Metadata")
    add(metadata, "Creator", "haleganada")
    add(metadata, "Created", reading.created)
    add(metadata, "LastChange", reading.created)
    for engine in sorted({line.engine for line in page.lines if line.engine}):
        add(metadata, "MetadataItem", type="processingStep", name="recognition", value=engine)
    add(metadata, "MetadataItem", type="imageProperties", name="page", value=page.page)
    size = {"imageWidth": page.width, "imageHeight": page.height}
    element = add(root, "Page", imageFilename=reading.name, orientation=_orientation(page), **size)
    if page.blocks:
        group = add(add(element, "ReadingOrder"), "OrderedGroup", id="order")
        for number in range(len(page.blocks)):
            add(group, "RegionRefIndexed", index=number, regionRef=f"r{number + 1}")
    for number, block in enumerate(page.blocks, start=1):
        _PageWriter(page).add_block(element, block, f"r{number}")
    return root


class _PageWriter:
    """Adds the elements of a page."""

    def __init__(self, page: PageReading) -> None:
        self._page = page

    def add_block(self, page: ET.Element, block: TextBlock, identifier: str) -> None:
        production = _PRODUCTION.get(block.choice.mode) if block.choice and block.choice.mode else None
        region = add(page, "TextRegion", id=identifier, production=production)
        self._place(region, block.polygon)
        for place, line in enumerate(block.lines, start=1):
            self._add_line(region, line, f"{identifier}l{place}", place - 1)
        _add_text(region, block.text, None)

    def _add_line(self, region: ET.Element, line: TextLine, identifier: str, index: int) -> None:
        direction = "right-to-left" if is_right_to_left(line.text) else None
        engine = f"engine {{id:{line.engine};}}" if line.engine else None
        element = add(region, "TextLine", id=identifier, index=index, readingDirection=direction, custom=engine)
        self._place(element, line.polygon)
        for place, word in enumerate(line.words, start=1):
            self._add_word(element, word, f"{identifier}w{place}")
        _add_text(element, line.text, line.confidence)

    def _add_word(self, line: ET.Element, word: TextWord, identifier: str) -> None:
        element = add(line, "Word", id=identifier)
        self._place(element, word.polygon)
        for place, glyph in enumerate(word.glyphs, start=1):
            self._add_glyph(element, glyph, f"{identifier}g{place}")
        _add_text(element, word.text, word.confidence)

    def _add_glyph(self, word: ET.Element, glyph: TextGlyph, identifier: str) -> None:
        element = add(word, "Glyph", id=identifier)
        self._place(element, glyph.polygon)
        _add_text(element, glyph.text, glyph.confidence)

    def _place(self, element: ET.Element, polygon: Polygon) -> None:
        points = round_points(polygon, self._page.width, self._page.height)
        add(element, "Coords", points=" ".join(f"{x},{y}" for x, y in points))


def _add_text(element: ET.Element, text: str, confidence: float | None) -> None:
    if text:
        conf = None if confidence is None else f"{confidence:.4f}"
        add(add(element, "TextEquiv", conf=conf), "Unicode", text)


def _orientation(page: PageReading) -> str | None:
    """Return by how many degrees the page has to be turned clockwise, over -180 to 180; None if nobody looked."""
    if page.turn_degrees is None and page.skew_degrees is None:
        return None
    return f"{180 - (180 - (page.turn_degrees or 0) - (page.skew_degrees or 0.0)) % 360:g}"
