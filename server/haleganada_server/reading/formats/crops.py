"""A zip with a picture of each line, word and character, made level; manifest.json tells what each is and where it was
found, and overlays/ shows all outlines on the pages.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from haleganada_server.core.disk.zip_writer import ZipWriter
from haleganada_server.core.reading.graphemes import split_graphemes
from haleganada_server.core.reading.page import PageReading, Polygon, TextGlyph, TextLine, TextWord
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.layout.segmentation import find_characters

from .cutting import Crop, Picture, cut_polygon, to_png
from .kept import KeptReading
from .overlay import draw_overlay
from .texts import is_right_to_left

MANIFEST = "manifest.json"
_VERSION = 1
_ENGINE, _INK = "engine", "ink"


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    with (
        ZipWriter(target) as archive,
        closing(open_document(reading.document)) as document,
        tempfile.TemporaryFile(dir=target.parent) as manifest,
    ):
        name = json.dumps(reading.file_name, ensure_ascii=False)
        head = f'{{"format": "haleganada-crops", "version": {_VERSION}, "file_name": {name}, "pages": ['
        manifest.write(head.encode(errors="replace"))
        for number, page in enumerate(reading.pages()):
            entry = _PageCutter(archive, page, document.draw(page.page)).cut()
            manifest.write((",\n"[not number :] + json.dumps(entry, ensure_ascii=False)).encode(errors="replace"))
        manifest.write(b"\n]}\n")
        archive.add_text(MANIFEST, manifest)
    return f"{reading.stem}.crops.zip", "application/zip"


class _PageCutter:
    """Cuts a page into pictures, and returns what the manifest says of them."""

    def __init__(self, archive: ZipWriter, page: PageReading, picture: Picture) -> None:
        self._archive = archive
        self._page = page
        self._picture = picture
        self._glyphs: list[Polygon] = []

    def cut(self) -> dict[str, Any]:
        page, name = self._page, f"page-{self._page.page:05d}"
        numbered = [(number, line) for number, block in enumerate(page.blocks, start=1) for line in block.lines]
        lines = [
            {"block": block, **self._cut_line(line, f"{name}-{number:03d}")}
            for number, (block, line) in enumerate(numbered, start=1)
        ]
        overlay = draw_overlay(self._picture, page, self._glyphs)
        file = self._store(f"overlays/{name}.jpg", overlay)
        return {"page": page.page, "width": page.width, "height": page.height, "overlay": file, "lines": lines}

    def _cut_line(self, line: TextLine, name: str) -> dict[str, Any]:
        crop = cut_polygon(self._picture, line.polygon)
        words = [self._cut_word(word, f"{name}-{number:03d}") for number, word in enumerate(line.words, start=1)]
        return {**_describe(line), "engine": line.engine, "file": self._store_crop("lines", name, crop), "words": words}

    def _cut_word(self, word: TextWord, name: str) -> dict[str, Any]:
        crop = cut_polygon(self._picture, word.polygon)
        found_by = _ENGINE if word.glyphs else _INK
        glyphs = []
        for number, glyph in enumerate(word.glyphs or _find_glyphs(word, crop), start=1):
            picture = cut_polygon(self._picture, glyph.polygon)
            file = self._store_crop("glyphs", f"{name}-{number:03d}", picture)
            glyphs.append({**_describe(glyph), "found_by": found_by, "file": file})
            self._glyphs.append(glyph.polygon)
        return {**_describe(word), "file": self._store_crop("words", name, crop), "glyphs": glyphs}

    def _store_crop(self, folder: str, name: str, crop: Crop) -> str:
        return self._store(f"{folder}/{name}.png", to_png(crop.picture))

    def _store(self, name: str, data: bytes) -> str:
        self._archive.add(name, data)
        return name


def _find_glyphs(word: TextWord, crop: Crop) -> list[TextGlyph]:
    """Return the characters that the ink shows; with their text if there are as many as the word's text has."""
    boxes = find_characters(crop.picture)
    texts = split_graphemes(word.text)
    if is_right_to_left(word.text):
        boxes.reverse()
    if len(texts) != len(boxes):
        texts = [""] * len(boxes)
    return [TextGlyph(text=text, polygon=crop.map_box(box)) for text, box in zip(texts, boxes, strict=True)]


def _describe(part: TextLine | TextWord | TextGlyph) -> dict[str, Any]:
    fields: dict[str, Any] = {"text": part.text, "polygon": [[round(x, 2), round(y, 2)] for x, y in part.polygon]}
    if part.confidence is not None:
        fields["confidence"] = part.confidence
    return fields
