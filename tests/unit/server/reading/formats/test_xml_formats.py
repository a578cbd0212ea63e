"""hOCR, ALTO and PAGE XML, held against the formats' own schemas and checkers."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from haleganada_server.core.reading.page import PageReading, TextLine
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.reading.formats import export_reading
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.server.reading.formats.sample_pages import box, keep, line_of, page_of, varied_page
from tests.unit.server.reading.formats.schemas import require_schema

ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
HTML = "{http://www.w3.org/1999/xhtml}"
# The newest schema that the package has; 4.4 only adds optional attributes of Page, which are not written.
SCHEMAS = {ReadingFormat.ALTO: (ALTO, "4.3"), ReadingFormat.PAGE_XML: (PAGE, "")}
XML_FORMATS = [ReadingFormat.HOCR, *SCHEMAS]


def export(folder: Path, form: ReadingFormat, *pages: PageReading, file_name: str = "scan & <so>.png") -> bytes:
    export_reading(keep(folder / "reading", pages), file_name, form, folder / "target")
    return (folder / "target").read_bytes()


@pytest.mark.parametrize("form", SCHEMAS)
@pytest.mark.parametrize("page", [varied_page(), page_of(), page_of(line_of("ok", 3, 3, confidence=None))])
def test_files_are_valid(tmp_path: Path, form: ReadingFormat, page: PageReading) -> None:
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    schema = require_schema(tmp_path, *SCHEMAS[form])
    schema.assertValid(etree.fromstring(export(tmp_path, form, page)))


@pytest.mark.parametrize("form", SCHEMAS)
def test_several_pages_are_a_zip(tmp_path: Path, form: ReadingFormat) -> None:
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
    schema = require_schema(tmp_path, *SCHEMAS[form])
    reading = keep(tmp_path / "r", [varied_page(2), page_of(page=11)])
    name, kind = export_reading(reading, "book.pdf", form, tmp_path / "t")
    assert (name, kind) == (f"book.{form.value}.zip", "application/zip")
    with zipfile.ZipFile(tmp_path / "t") as archive:
        assert archive.namelist() == ["page-00002.xml", "page-00011.xml"]
        for member in archive.namelist():
            schema.assertValid(etree.fromstring(archive.read(member)))


@pytest.mark.parametrize("page", [varied_page(), page_of()])
def test_hocr_passes_its_checker(tmp_path: Path, page: PageReading) -> None:
    if find_spec("hocr_spec") is None:
        pytest.skip("hocr-spec, a checker of hOCR, is not installed")
    (tmp_path / "x.html").write_bytes(export(tmp_path, ReadingFormat.HOCR, page))
    command = [sys.executable, "-m", "hocr_spec.cli", "--profile", "standard", str(tmp_path / "x.html")]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_hocr_has_words_boxes_and_confidences(tmp_path: Path) -> None:
    root = ET.fromstring(export(tmp_path, ReadingFormat.HOCR, varied_page(), page_of(page=2)))
    pages = [element for element in root.iter(f"{HTML}div") if element.get("class") == "ocr_page"]
    assert [page.get("title", "").split("; ")[1:] for page in pages] == [
        ["bbox 0 0 600 400", f"ppageno {n}"] for n in (0, 1)
    ]
    words = {
        "".join(element.itertext()): element
        for element in root.iter(f"{HTML}span")
        if element.get("class") == "ocrx_word"
    }
    assert words["a<b>"].get("title") == "bbox 30 50 70 70; poly 30 50 70 50 70 70 30 70; x_wconf 50.00"
    assert "x_wconf" not in words["nai\u0308ve"].get("title", "")
    first = next(iter(words["ಕ್ಷಮೆ"]))
    assert (first.text, first.get("title")) == ("ಕ್ಷ", "x_bboxes 30 100 48 120; x_confs 75.00")
    lines = ["".join(element.itertext()) for element in root.iter(f"{HTML}span") if element.get("class") == "ocr_line"]
    assert lines[:4] == ["a<b> \"c\" & 'd' ]]>", "ಕ್ಷಮೆ nai\u0308ve", "no words\there", "שלום עולם"]
    tilted, hebrew = (
        element for element in root.iter(f"{HTML}span") if "textangle" in element.get("title", "") or element.get("dir")
    )
    assert tilted.get("title", "").endswith("textangle 5.8") and hebrew.get("dir") == "rtl"


def test_alto_has_words_boxes_and_confidences(tmp_path: Path) -> None:
    root = ET.fromstring(export(tmp_path, ReadingFormat.ALTO, varied_page()))
    strings = {element.get("CONTENT"): element for element in root.iter(f"{{{ALTO}}}String")}
    kannada = strings["ಕ್ಷಮೆ"]
    assert [kannada.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT", "WC")] == [
        "30",
        "100",
        "40",
        "20",
        "0.9000",
    ]
    assert kannada.find(f"{{{ALTO}}}Glyph") is None, "ALTO's glyphs are single code points"
    naive = strings["nai\u0308ve"]
    assert (
        "WC" not in naive.attrib
        and "".join(g.get("CONTENT", "") for g in naive.iter(f"{{{ALTO}}}Glyph")) == "nai\u0308ve"
    )
    assert strings["no words\there"].get("WC") == "0.2500", "a line without words is one string"
    blocks = list(root.iter(f"{{{ALTO}}}TextBlock"))
    assert {block.get("ROTATION") for block in blocks} == {"88.75"}
    hebrew = next(line for line in root.iter(f"{{{ALTO}}}TextLine") if line.get("BASEDIRECTION") == "rtl")
    assert [s.get("CONTENT") for s in hebrew.iter(f"{{{ALTO}}}String")] == ["שלום", "עולם"]
    assert [e.text for e in root.iter(f"{{{ALTO}}}softwareName")] == ["ppocr", "tesseract"]
    assert root.findtext(f".//{{{ALTO}}}fileName") == "scan & <so>.png"


def test_page_xml_has_reading_order_and_polygons(tmp_path: Path) -> None:
    root = ET.fromstring(export(tmp_path, ReadingFormat.PAGE_XML, varied_page()))
    order = [ref.get("regionRef") for ref in root.iter(f"{{{PAGE}}}RegionRefIndexed")]
    assert order == [region.get("id") for region in root.iter(f"{{{PAGE}}}TextRegion")] == ["r1", "r2"]
    page = root.find(f"{{{PAGE}}}Page")
    assert page is not None and page.get("imageFilename") == "scan & <so>.png" and page.get("orientation") == "88.75"
    tilted = next(line for line in root.iter(f"{{{PAGE}}}TextLine") if line.get("custom") == "engine {id:ppocr;}")
    coords, equiv = tilted.find(f"{{{PAGE}}}Coords"), tilted.find(f"{{{PAGE}}}TextEquiv")
    assert coords is not None and coords.get("points") == "30,200 130,190 132,210 32,220"
    assert equiv is not None and equiv.get("conf") == "0.2500"
    glyphs = {glyph.findtext(f".//{{{PAGE}}}Unicode"): glyph for glyph in root.iter(f"{{{PAGE}}}Glyph")}
    assert glyphs["ಕ್ಷ"].find(f"{{{PAGE}}}TextEquiv").attrib == {"conf": "0.7500"}  # type: ignore[union-attr]
    assert glyphs["ಮೆ"].find(f"{{{PAGE}}}TextEquiv").attrib == {}  # type: ignore[union-attr]
    first = next(root.iter(f"{{{PAGE}}}TextRegion"))
    assert first.get("production") == "printed"
    assert first.findtext(f"{{{PAGE}}}TextEquiv/{{{PAGE}}}Unicode") == varied_page().blocks[0].text


@pytest.mark.parametrize(
    ("turn", "skew", "orientation"), [(0, 0.0, "0"), (180, 0.0, "180"), (270, 2.5, "-87.5"), (None, None, None)]
)
def test_page_xml_tells_the_orientation(
    tmp_path: Path, turn: int | None, skew: float | None, orientation: str | None
) -> None:
    page = PageReading(page=1, width=9, height=9, blocks=(), turn_degrees=turn, skew_degrees=skew)
    element = ET.fromstring(export(tmp_path, ReadingFormat.PAGE_XML, page)).find(f"{{{PAGE}}}Page")
    assert element is not None and element.get("orientation") == orientation


@pytest.mark.parametrize("form", XML_FORMATS)
@given(text=st.text(), name=st.text())
def test_any_text_is_well_formed_xml(
    tmp_path_factory: pytest.TempPathFactory, form: ReadingFormat, text: str, name: str
) -> None:
    line = TextLine(text=text, polygon=box(1, 2, 30, 4), engine=name)
    data = export(tmp_path_factory.mktemp("any"), form, page_of(line), file_name=name)
    kept = "".join("" if c in "\r\n\t" else c for c in text)
    root = ET.fromstring(data)
    found = "".join(root.itertext()) + "".join(value for element in root.iter() for value in element.attrib.values())
    letters = [c for c in kept if c.isalnum()]
    assert all(c in found for c in letters)
