"""Reads the hOCR that Tesseract writes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np

from haleganada_server.core.reading.page import Polygon, TextGlyph, TextLine, TextWord

_LINES = frozenset({"ocr_line", "ocr_header", "ocr_caption", "ocr_textfloat"})
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def parse_hocr(document: str, engine: str) -> list[list[TextLine]]:
    """Return the lines of each page. engine: the id that they bear."""
    root = ElementTree.fromstring(_NOT_XML.sub("", document))
    return [
        [line for element in _of_class(page, *_LINES) if (line := _line(element, engine)).text]
        for page in _of_class(root, "ocr_page")
    ]


def _of_class(element: ElementTree.Element, *names: str) -> Iterator[ElementTree.Element]:
    return (child for child in element.iter() if child.get("class") in names)


def _line(element: ElementTree.Element, engine: str) -> TextLine:
    words = tuple(word for child in _of_class(element, "ocrx_word") if (word := _word(child)).text)
    weights = [len(word.text) for word in words]
    known = all(word.confidence is not None for word in words) and words
    return TextLine(
        text=" ".join(word.text for word in words),
        polygon=_box(element, "bbox"),
        confidence=float(np.average([word.confidence or 0.0 for word in words], weights=weights)) if known else None,
        words=words,
        engine=engine,
    )


def _word(element: ElementTree.Element) -> TextWord:
    glyphs = tuple(
        TextGlyph(text=text, polygon=_box(child, "x_bboxes"), confidence=_confidence(child, "x_conf"))
        for child in _of_class(element, "ocrx_cinfo")
        if (text := _text(child))
    )
    return TextWord(
        text=_text(element), polygon=_box(element, "bbox"), confidence=_confidence(element, "x_wconf"), glyphs=glyphs
    )


def _text(element: ElementTree.Element) -> str:
    return unicodedata.normalize("NFC", "".join("".join(element.itertext()).split()))


def _properties(element: ElementTree.Element) -> dict[str, list[str]]:
    parts = (part.split() for part in (element.get("title") or "").split(";"))
    return {part[0]: part[1:] for part in parts if part}


def _box(element: ElementTree.Element, name: str) -> Polygon:
    left, top, right, bottom = (float(value) for value in _properties(element)[name][:4])
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _confidence(element: ElementTree.Element, name: str) -> float | None:
    values = _properties(element).get(name)
    return min(max(float(values[0]) / 100, 0.0), 1.0) if values else None
