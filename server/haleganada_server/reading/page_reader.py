"""Reads one page of a document: its picture is prepared, its regions are read, and all goes back to px of the page."""

from __future__ import annotations

import time
from dataclasses import replace

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.reading.options import ReadMode, ReadOptions, TextLayer
from haleganada_server.core.reading.page import TEXT_LAYER, EngineChoice, PageReading, Polygon, TextBlock
from haleganada_server.core.reading.taught.assembly import TAUGHT

from .choice.candidates import find_candidates
from .documents.document import Document
from .layout.lines import as_polygon, bounds, map_line
from .preparation import prepare
from .preparation.prepared import Box, PreparedPage
from .regions import read_region


def check_options(options: ReadOptions) -> None:
    """Raise NotFound or Precondition if no page can be read so."""
    if options.mode is ReadMode.TAUGHT:
        raise Precondition(
            "a reader does not know what a workspace was taught; the server reads such pages", Reason.MODE_UNAVAILABLE
        )
    if options.engine == TAUGHT:
        raise Precondition(
            "the engine taught reads by what a workspace was taught; choose the mode taught, too",
            Reason.MODE_UNAVAILABLE,
        )
    find_candidates(options)


def read_page(document: Document, page: int, options: ReadOptions) -> PageReading:
    """Read a page. page: from 1. Raises NotFound, Precondition or Exhausted."""
    check_options(options)
    started = time.perf_counter()
    picture = document.draw(page)
    height, width = picture.shape[:2]
    reading = PageReading(page=page, width=width, height=height, blocks=_text_layer(document, page, options))
    if not reading.blocks:
        prepared = prepare(picture, options.skipped_steps, options.debug)
        reading = replace(
            reading,
            blocks=tuple(block for box in _regions(prepared) for block in _read_region(prepared, box, options)),
            turn_degrees=prepared.turn_degrees,
            skew_degrees=prepared.skew_degrees,
            step_pictures=prepared.step_pictures,
        )
    return replace(reading, elapsed_ms=(time.perf_counter() - started) * 1000)


def _text_layer(document: Document, page: int, options: ReadOptions) -> tuple[TextBlock, ...]:
    """Return the text that a page has already, if it is wanted. The reading order is the one of the document."""
    if options.segment_only or options.text_layer is not TextLayer.USE:
        return ()
    lines = tuple(document.text_lines(page))
    if not lines:
        return ()
    choice = EngineChoice(engine=TEXT_LAYER, reason="the page has text already, and it was asked to use that")
    return (TextBlock(polygon=as_polygon(bounds(line.polygon for line in lines)), lines=lines, choice=choice),)


def _regions(prepared: PreparedPage) -> tuple[Box, ...]:
    height, width = prepared.picture.shape[:2]
    return prepared.columns or ((0.0, 0.0, float(width), float(height)),)


def _read_region(prepared: PreparedPage, box: Box, options: ReadOptions) -> list[TextBlock]:
    """Return the blocks of a region in px of the page."""
    left, top, right, bottom = (round(edge) for edge in box)

    def to_page(polygon: Polygon) -> Polygon:
        return prepared.map_polygon(tuple((x + left, y + top) for x, y in polygon))

    blocks = read_region(prepared.picture[top:bottom, left:right], options)
    return [
        replace(
            block,
            polygon=to_page(block.polygon),
            lines=tuple(map_line(line, to_page) for line in block.lines),
        )
        for block in blocks
    ]
