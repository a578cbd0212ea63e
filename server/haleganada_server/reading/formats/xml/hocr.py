"""hOCR 1.2: a page that any browser shows, with boxes, outlines and confidences (in percent, as hOCR has them)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from haleganada_server.core.reading.page import PageReading, Polygon, TextLine, TextWord

from ..kept import KeptReading
from ..outlines import angle, round_points, surround
from ..texts import clean_text, is_right_to_left, join_words
from .files import add

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<title>{title}</title>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8" />
<meta name="ocr-system" content="haleganada" />
<meta name="ocr-capabilities" content="{capabilities}" />
<meta name="ocr-number-of-pages" content="{pages}" />
</head>
<body>
"""
_CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrx_cinfo ocrp_poly ocrp_dir ocrp_wconf"
_LEAST_ANGLE = 0.05  # degrees


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    with target.open("w", encoding="utf-8", newline="\n") as file:
        title = escape(clean_text(reading.name))
        file.write(_HEAD.format(title=title, capabilities=_CAPABILITIES, pages=len(reading.page_files)))
        for page in reading.pages():
            file.write(ET.tostring(_PageWriter(page).to_html(reading.name), "unicode") + "\n")
        file.write("</body>\n</html>\n")
    return f"{reading.stem}.hocr", "text/vnd.hocr+html"


class _PageWriter:
    """Makes the element of a page."""

    def __init__(self, page: PageReading) -> None:
        self._page = page

    def to_html(self, document_name: str) -> ET.Element:
        page = self._page
        image = quoteattr(document_name, {'"': "'"}).replace(";", ",")
        title = f"image {image}; bbox 0 0 {page.width} {page.height}; ppageno {page.page - 1}"
        root = ET.Element("div", {"class": "ocr_page", "id": f"page_{page.page}", "title": clean_text(title)})
        for number, block in enumerate(page.blocks, start=1):
            area = self._add(root, "div", "ocr_carea", f"block_{page.page}_{number}", block.polygon)
            paragraph = self._add(area, "p", "ocr_par", f"par_{page.page}_{number}", block.polygon)
            for place, line in enumerate(block.lines, start=1):
                self._add_line(paragraph, line, f"{page.page}_{number}_{place}")
        return root

    def _add_line(self, paragraph: ET.Element, line: TextLine, number: str) -> None:
        turned = angle(line.polygon)
        facts = [f"textangle {turned:.1f}"] if abs(turned) >= _LEAST_ANGLE else []
        element = self._add(paragraph, "span", "ocr_line", f"line_{number}", line.polygon, *facts)
        if is_right_to_left(line.text):
            element.set("dir", "rtl")
        if not line.words:
            element.text = clean_text(line.text)
        for place, (word, gap) in enumerate(join_words(line), start=1):
            self._add_word(element, word, f"{number}_{place}").tail = gap
        element.tail = "\n"

    def _add_word(self, line: ET.Element, word: TextWord, number: str) -> ET.Element:
        facts = [] if word.confidence is None else [f"x_wconf {100 * word.confidence:.2f}"]
        element = self._add(line, "span", "ocrx_word", f"word_{number}", word.polygon, *facts)
        if "".join(glyph.text for glyph in word.glyphs) != word.text:
            element.text = clean_text(word.text)
            return element
        for glyph in word.glyphs:
            box = " ".join(map(str, surround(glyph.polygon, self._page.width, self._page.height)))
            sure = "" if glyph.confidence is None else f"; x_confs {100 * glyph.confidence:.2f}"
            add(element, "span", glyph.text, **{"class": "ocrx_cinfo", "title": f"x_bboxes {box}{sure}"})
        return element

    def _add(
        self, parent: ET.Element, tag: str, kind: str, identifier: str, polygon: Polygon, *facts: str
    ) -> ET.Element:
        width, height = self._page.width, self._page.height
        title = [f"bbox {' '.join(map(str, surround(polygon, width, height)))}"]
        title.append("poly " + " ".join(f"{x} {y}" for x, y in round_points(polygon, width, height)))
        return add(parent, tag, **{"class": kind, "id": identifier, "title": "; ".join([*title, *facts])})
