"""Pictures of lines, words and characters, with their manifest."""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.reading.page import PageReading, Polygon, TextGlyph, TextLine, TextWord
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.reading.formats import export_reading
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.unit.server.reading.formats.drawn_pages import INK, draw_words, fill, to_bytes
from tests.unit.server.reading.formats.sample_pages import box, keep, line_of, page_of


class Crops:
    """An exported zip, in memory."""

    def __init__(self, folder: Path, image: Image.Image | bytes, *pages: PageReading) -> None:
        reading = keep(folder / "r", pages, image if isinstance(image, bytes) else to_bytes(image))
        name, kind = export_reading(reading, "scan.png", ReadingFormat.CROPS, folder / "c.zip")
        assert (name, kind) == ("scan.crops.zip", "application/zip")
        self._zip = zipfile.ZipFile(io.BytesIO((folder / "c.zip").read_bytes()))
        self.manifest = json.loads(self._zip.read("manifest.json"))
        self.names = self._zip.namelist()

    def picture(self, entry: dict[str, Any], key: str = "file") -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self._zip.read(entry[key]))).convert("L"))


def test_everything_found_has_a_picture_in_reading_order(tmp_path: Path) -> None:
    page = page_of(line_of("two words", 20, 30), line_of("ಅಆ", 20, 80, confidence=None), width=300, height=200)
    crops = Crops(tmp_path, draw_words(page), page)
    (found,) = crops.manifest["pages"]
    assert (found["page"], found["width"], found["height"]) == (1, 300, 200)
    assert [line["text"] for line in found["lines"]] == ["two words", "ಅಆ"]
    first, second = found["lines"]
    assert first["polygon"] == [[20, 30], [110, 30], [110, 50], [20, 50]] and first["engine"] == "tesseract"
    assert first["confidence"] == 0.5 and "confidence" not in second and first["block"] == 1
    assert [word["file"] for word in first["words"]] == ["words/page-00001-001-001.png", "words/page-00001-001-002.png"]
    whole = np.asarray(draw_words(page))
    assert (crops.picture(first) == whole[30:50, 20:110]).all()
    assert (crops.picture(first["words"][1]) == whole[30:50, 60:110]).all()
    files = [
        entry["file"]
        for line in found["lines"]
        for entry in (line, *line["words"], *(g for w in line["words"] for g in w["glyphs"]))
    ]
    assert sorted(crops.names) == sorted([*files, "overlays/page-00001.jpg", "manifest.json"])


def test_characters_are_found_by_their_ink(tmp_path: Path) -> None:
    page = page_of(line_of("ಅಆಇ", 20, 30, size=40), width=200, height=100)
    crops = Crops(tmp_path, draw_words(page), page)
    (word,) = crops.manifest["pages"][0]["lines"][0]["words"]
    assert [(glyph["text"], glyph["found_by"]) for glyph in word["glyphs"]] == [
        ("ಅ", "ink"),
        ("ಆ", "ink"),
        ("ಇ", "ink"),
    ]
    assert word["glyphs"][1]["polygon"] == [[44, 32], [56, 32], [56, 68], [44, 68]]
    assert all((crops.picture(glyph) == INK).all() for glyph in word["glyphs"])


def test_characters_that_the_ink_does_not_tell_have_no_text(tmp_path: Path) -> None:
    word = TextWord(text="abc", polygon=box(20, 30, 60, 40))
    page = page_of(TextLine(text="abc", polygon=word.polygon, words=(word,)), width=200, height=100)
    crops = Crops(tmp_path, fill((200, 100), [box(25, 35, 20, 20), box(50, 35, 20, 20)]), page)
    (found,) = crops.manifest["pages"][0]["lines"][0]["words"]
    assert [glyph["text"] for glyph in found["glyphs"]] == ["", ""]


def test_characters_from_right_to_left_have_their_own_text(tmp_path: Path) -> None:
    page = page_of(line_of("שלם", 20, 30, size=40), width=200, height=100)
    crops = Crops(tmp_path, draw_words(page), page)
    (word,) = crops.manifest["pages"][0]["lines"][0]["words"]
    assert [glyph["text"] for glyph in word["glyphs"]] == ["ש", "ל", "ם"]
    lefts = [glyph["polygon"][0][0] for glyph in word["glyphs"]]
    assert lefts == sorted(lefts, reverse=True)


def test_an_engines_characters_are_kept(tmp_path: Path) -> None:
    glyphs = (
        TextGlyph(text="ಕ್ಷ", polygon=box(20, 30, 30, 40), confidence=0.5),
        TextGlyph(text="ಮೆ", polygon=box(50, 30, 30, 40)),
    )
    word = TextWord(text="ಕ್ಷಮೆ", polygon=box(20, 30, 60, 40), glyphs=glyphs)
    page = page_of(TextLine(text=word.text, polygon=word.polygon, words=(word,)), width=200, height=100)
    crops = Crops(tmp_path, fill((200, 100), []), page)
    (found,) = crops.manifest["pages"][0]["lines"][0]["words"]
    assert [(g["text"], g["found_by"], g.get("confidence")) for g in found["glyphs"]] == [
        ("ಕ್ಷ", "engine", 0.5),
        ("ಮೆ", "engine", None),
    ]


def turn_box(degrees: float) -> Polygon:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple((200 + c * x - s * y, 150 + s * x + c * y) for x, y in box(-100, -20, 200, 40))


def test_turned_lines_are_made_level(tmp_path: Path) -> None:
    for degrees in (-30, 5, 90, 180):
        outline = turn_box(degrees)
        inner = tuple((x + 0.5 * (200 - x), y + 0.5 * (150 - y)) for x, y in outline)  # half as large, in the middle
        word = TextWord(text="x", polygon=outline)
        page = page_of(TextLine(text="x", polygon=outline, words=(word,)), width=400, height=300)
        crops = Crops(tmp_path, fill((400, 300), [inner]), page)
        (line,) = crops.manifest["pages"][0]["lines"]
        picture = crops.picture(line)
        assert picture.shape == (40, 200)
        assert (picture[13:27, 53:147] == INK).all(), degrees
        assert (picture[:8] > 200).all() and (picture[:, :45] > 200).all()
        glyph = line["words"][0]["glyphs"][0]
        assert np.abs(np.array(glyph["polygon"]) - np.array(inner)).max() < 2.5, "outlines lead back to the page"


def test_what_is_outside_of_an_outline_is_white(tmp_path: Path) -> None:
    outline: Polygon = ((20, 30), (100, 30), (180, 30), (180, 70), (100, 50), (20, 70))
    line = TextLine(text="x", polygon=outline)
    crops = Crops(tmp_path, Image.new("L", (200, 100), INK), page_of(line, width=200, height=100))
    picture = crops.picture(crops.manifest["pages"][0]["lines"][0])
    assert picture.shape == (40, 160)
    assert picture[5, 80] == INK and picture[35, 2] == INK and picture[35, 80] == 255


def test_overlays_show_the_outlines(tmp_path: Path) -> None:
    page = page_of(line_of("two words", 20, 30), width=300, height=200)
    crops = Crops(tmp_path, Image.new("L", (300, 200), 255), page)
    overlay = crops.picture(crops.manifest["pages"][0], "overlay")
    assert overlay.shape == (200, 300)
    assert overlay[30, 20:110].max() < 180 and overlay[100:].min() > 245


def test_lines_at_the_edge_without_extent_or_words_are_cut(tmp_path: Path) -> None:
    lines = [
        TextLine(text="edge", polygon=box(-10, 190, 500, 40)),
        TextLine(text="point", polygon=box(50, 50, 0, 0)),
        TextLine(text="rule", polygon=box(50, 60, 90, 0)),
    ]
    crops = Crops(tmp_path, Image.new("L", (300, 200), 255), page_of(*lines, width=300, height=200))
    assert [crops.picture(line).size > 0 for line in crops.manifest["pages"][0]["lines"]] == [True] * 3


SIDE = st.integers(-100, 400) | st.floats(-10, 310, allow_nan=False)


@given(outline=st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=7), text=st.text(max_size=5))
@example(outline=[(0, 0), (10, 10), (10, 0), (0, 10)], text="crossed")
@example(outline=[(20, 20), (280, 20), (40, 40), (20, 180)], text="hollow")
@example(outline=[(-1e7, 0), (1e7, 0), (1e7, 1e7), (-1e7, 1e7)], text="larger than the page")
@example(outline=[(-1e9, 0), (1e9, 0), (1e9, 9), (1e9, 1e9), (-1e9, 1e9)], text="and of many corners")
def test_any_outline_can_be_cut(
    tmp_path_factory: pytest.TempPathFactory, outline: list[tuple[float, float]], text: str
) -> None:
    word = TextWord(text=text, polygon=tuple(outline))
    line = TextLine(text=text, polygon=tuple(outline), words=(word,))
    image = Image.linear_gradient("L").resize((300, 200))
    crops = Crops(tmp_path_factory.mktemp("any"), image, page_of(line, width=300, height=200))
    (found,) = crops.manifest["pages"][0]["lines"]
    assert crops.picture(found).size > 0


def test_pages_of_a_document_are_named_by_their_numbers(tmp_path: Path) -> None:
    pages = [page_of(line_of("one", 20, 30), page=n, width=100, height=80) for n in (1, 3)]
    images = [draw_words(page_of(width=100, height=80)) for _ in range(3)]
    crops = Crops(tmp_path, to_bytes(images[0], "TIFF", save_all=True, append_images=images[1:]), *pages)
    assert [page["overlay"] for page in crops.manifest["pages"]] == [
        "overlays/page-00001.jpg",
        "overlays/page-00003.jpg",
    ]
    assert crops.manifest["file_name"] == "scan.png"
