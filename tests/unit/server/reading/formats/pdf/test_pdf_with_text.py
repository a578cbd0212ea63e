"""PDFs stay what they are and get the text that was read, once."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from haleganada_server.core.reading.page import TEXT_LAYER, PageReading, Polygon, TextLine
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.formats import export_reading
from pikepdf import Array, Dictionary, Name
from PIL import Image

from tests.unit.server.reading.formats.pdf.pdf_text import (
    Box,
    distance,
    pdfium_find,
    pdfium_page,
    pdfium_text,
    poppler_words,
)
from tests.unit.server.reading.formats.sample_pages import keep, line_of, page_of

SIZE = (300, 400)  # points
VISIBLE = "BT /F1 20 Tf 30 300 Td (Printed words) Tj ET "
INVISIBLE = "q BT 3 Tr /F1 20 Tf 30 200 Td (Old OCR) Tj 0 -30 Td (second) ' ET Q "
SCAN = "q 300 0 0 400 0 0 cm /Scan Do Q "


class Source:
    """Makes a PDF for a test."""

    def __init__(self) -> None:
        self.pdf = pikepdf.new()
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        self.font = self.pdf.make_indirect(font)
        pixels = io.BytesIO()
        Image.radial_gradient("L").resize((150, 200)).save(pixels, "JPEG")
        self.scan = self.pdf.make_stream(
            pixels.getvalue(), Type=Name.XObject, Subtype=Name.Image, Width=150, Height=200, BitsPerComponent=8,
            ColorSpace=Name.DeviceGray, Filter=Name.DCTDecode,
        )  # fmt: skip

    def resources(self, **objects: pikepdf.Object) -> Dictionary:
        named = {f"/{name}": value for name, value in objects.items()}
        return Dictionary(Font=Dictionary(F1=self.font), XObject=Dictionary({"/Scan": self.scan, **named}))

    def form(self, content: str, **objects: pikepdf.Object) -> pikepdf.Object:
        return self.pdf.make_stream(
            content.encode(), Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, *SIZE]),
            Resources=self.resources(**objects),
        )  # fmt: skip

    def add(self, content: str, **objects: pikepdf.Object) -> pikepdf.Page:
        page = self.pdf.add_blank_page(page_size=SIZE)
        page.obj.Resources = self.resources(**objects)
        page.obj.Contents = self.pdf.make_stream(content.encode())
        return page

    def save(self) -> bytes:
        buffer = io.BytesIO()
        self.pdf.save(buffer, static_id=True)
        return buffer.getvalue()


def export(folder: Path, source: Source | bytes, *pages: PageReading) -> Path:
    document = source if isinstance(source, bytes) else source.save()
    reading = keep(folder / "reading", pages, document)
    name, _ = export_reading(reading, "book.pdf", ReadingFormat.PDF, folder / "target.pdf")
    assert name == "book-searchable.pdf", "beside the document, it would replace it"
    assert [path.name for path in folder.iterdir() if path.name.startswith("pdf-")] == [], "nothing temporary stays"
    return folder / "target.pdf"


def read_page(*texts: str, page: int = 1, engine: str = "tesseract", scale: float = 2) -> PageReading:
    """Return a page that is `scale` px a point, with lines from 100 px downwards."""
    lines = [line_of(text, 40, 100 + 60 * n) for n, text in enumerate(texts)]
    named = [TextLine(text=line.text, polygon=line.polygon, words=line.words, engine=engine) for line in lines]
    return page_of(*named, page=page, width=round(SIZE[0] * scale), height=round(SIZE[1] * scale))


def test_a_scan_gets_its_text_and_stays_as_it_is(tmp_path: Path) -> None:
    source = Source()
    source.add(SCAN)
    path = export(tmp_path, source, read_page("found ಕನ್ನಡ"))
    assert distance(pdfium_find(path, "found")[0], (20, 50, 45, 60)) < 2
    assert dict(poppler_words(path)).keys() == {"found", "ಕನ್ನಡ"}
    with pikepdf.open(path) as pdf, pikepdf.open(tmp_path / "reading" / "document") as original:
        new, old = pdf.pages[0], original.pages[0]
        assert new.obj.Resources.XObject.Scan.read_raw_bytes() == old.obj.Resources.XObject.Scan.read_raw_bytes()
        assert new.obj.Contents[-1].read_bytes() == old.obj.Contents.read_bytes()
    assert_looks_alike(path, tmp_path / "reading" / "document")


def test_pages_that_were_not_read_stay_as_they_are(tmp_path: Path) -> None:
    source = Source()
    for content in (SCAN, VISIBLE, SCAN + INVISIBLE):
        source.add(content)
    path = export(tmp_path, source, read_page("first", page=1))
    assert [pdfium_text(path, page) for page in (1, 2, 3)] == ["first", "Printed words", "Old OCR\nsecond"]
    with pikepdf.open(path) as pdf:
        assert pdf.pages[1].obj.Contents.read_bytes() == VISIBLE.encode()


@pytest.mark.parametrize("content", [VISIBLE, SCAN + INVISIBLE])
def test_text_that_was_used_is_not_written_again(tmp_path: Path, content: str) -> None:
    source = Source()
    source.add(content)
    path = export(tmp_path, source, read_page("Printed words", "Old OCR", engine=TEXT_LAYER))
    found = pdfium_find(path, "Printed words") + pdfium_find(path, "Old OCR")
    assert len(found) == 1
    with pikepdf.open(path) as pdf:
        assert pdf.pages[0].obj.Contents.read_bytes() == content.encode()


def test_invisible_text_that_was_read_anew_is_gone(tmp_path: Path) -> None:
    source = Source()
    source.add(SCAN + INVISIBLE)
    path = export(tmp_path, source, read_page("New OCR"))
    assert pdfium_text(path) == "New OCR"
    with pikepdf.open(path) as pdf:
        scan = pdf.pages[0].obj.Resources.XObject.Scan
        assert scan.Width == 150, "the scan is still the one that it was"
    assert_looks_alike(path, tmp_path / "reading" / "document")


def test_invisible_text_within_forms_is_gone_from_the_read_page_only(tmp_path: Path) -> None:
    source = Source()
    inner = source.form("0 -9 Td BT /F1 9 Tf 30 90 Td (deep) Tj ET")
    shared = source.form(SCAN + INVISIBLE + "q 3 Tr /Inner Do Q", Inner=inner)
    for _ in range(2):
        source.add("/Both Do", Both=shared)
    path = export(tmp_path, source, read_page("New OCR"))
    assert pdfium_text(path, 1) == "New OCR"
    assert pdfium_text(path, 2) == "Old OCR\nsecond\ndeep"
    assert_looks_alike(path, tmp_path / "reading" / "document")


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_visible_text_that_was_read_anew_becomes_a_picture(tmp_path: Path, turned: int) -> None:
    source = Source()
    page = source.add(SCAN + VISIBLE + INVISIBLE)
    page.obj.Rotate = turned
    page.obj.MediaBox = Array([-20, 10, 280, 410])
    source.add("")
    reading = read_page("Printed words")
    width, height = (reading.width, reading.height)[:: -1 if turned % 180 else 1]
    path = export(tmp_path, source, page_of(*reading.lines, width=width, height=height))
    assert len(pdfium_find(path, "Printed words")) == 1 and not pdfium_find(path, "Old OCR")
    assert_looks_alike(path, tmp_path / "reading" / "document")


def test_a_stamp_on_a_scan_stays_and_is_found_once(tmp_path: Path) -> None:
    source = Source()
    stamp = "BT /F1 10 Tf 20 340 Td (Library) Tj ET "
    source.add(SCAN + "BT 3 Tr /F1 20 Tf 30 300 Td (Old) ' 0 Tr 0 -30 Td (II) Tj ET " + stamp)
    lines = [
        line_of("Library of scans", 40, 100),
        *(line_of("text of the page itself", 40, 200 + 60 * n) for n in range(3)),
    ]
    path = export(tmp_path, source, page_of(*lines, width=600, height=800))
    assert sorted(pdfium_text(path).split()) == sorted(["II", *(word for line in lines for word in line.text.split())])
    with pikepdf.open(path) as pdf:
        assert "/Scan" in pdf.pages[0].obj.Resources.XObject, "the scan is still the one that it was"
    assert_looks_alike(path, tmp_path / "reading" / "document")


@pytest.mark.parametrize("turned", [0, 90, 180, 270, -90, 450])
def test_words_are_where_they_are_seen(tmp_path: Path, turned: int) -> None:
    source = Source()
    page = source.add("1 0 0 RG 5 0 0 5 70 70 cm " + SCAN)  # leaves other coordinates behind
    page.obj.MediaBox, page.obj.CropBox = Array([300, 0, 0, 400]), Array([50, 30, 290, 900])
    page.obj.Rotate = turned
    width, height = (480, 740)[:: -1 if turned % 180 else 1]  # 240 x 370 points
    line = line_of("here it stands", 100, 60)
    path = export(tmp_path, source, page_of(line, width=width, height=height))
    for text, where in find_shown_words(path).items():
        (word,) = (word for word in line.words if word.text == text)
        assert distance(where, box_of(word.polygon, 1 / width, 1 / height)) < 2 / 240
    assert pdfium_text(path).split() == line.text.split()


def box_of(polygon: Polygon, x_scale: float, y_scale: float) -> Box:
    xs, ys = zip(*polygon, strict=True)
    return min(xs) * x_scale, min(ys) * y_scale, max(xs) * x_scale, max(ys) * y_scale


def find_shown_words(path: Path) -> dict[str, Box]:
    """Return where the words of the first page are seen, as parts of its width and height."""
    with closing(open_document(path)) as document:
        height, width = document.draw(1).shape[:2]
        words = [word for line in document.text_lines(1) for word in line.words]
    return {word.text: box_of(word.polygon, 1 / width, 1 / height) for word in words}


def test_inherited_boxes_and_resources_are_respected(tmp_path: Path) -> None:
    source = Source()
    pages = [source.add(SCAN), source.add(SCAN)]
    tree = source.pdf.Root.Pages
    tree.MediaBox, tree.Rotate, tree.Resources = Array([0, 0, 300, 400]), 90, pages[0].obj.Resources
    for page in pages:
        del page.obj["/MediaBox"], page.obj["/Resources"]
    path = export(tmp_path, source, page_of(line_of("turned", 100, 60), width=800, height=600))
    assert distance(dict(poppler_words(path))["turned"], (50, 30, 80, 40)) < 2
    assert_looks_alike(path, tmp_path / "reading" / "document")
    with pikepdf.open(path) as pdf:
        assert list(pdf.pages[1].resources.Font.keys()) == ["/F1"]
        assert pdf.check_pdf_syntax() == []


def test_a_document_without_blocks_is_the_document(tmp_path: Path) -> None:
    source = Source()
    source.add(SCAN + INVISIBLE)
    path = export(tmp_path, source, page_of(width=600, height=800))
    assert pdfium_text(path) == "Old OCR\nsecond"


def test_a_document_that_forbids_changes_to_readers_can_be_searched(tmp_path: Path) -> None:
    source, buffer = Source(), io.BytesIO()
    source.add(SCAN)
    rules = pikepdf.Permissions(modify_other=False, extract=False)
    source.pdf.save(buffer, encryption=pikepdf.Encryption(owner="secret", user="", allow=rules))
    assert pdfium_text(export(tmp_path, buffer.getvalue(), read_page("found"))) == "found"


def test_a_page_with_damaged_content_can_be_searched(tmp_path: Path) -> None:
    source = Source()
    source.add(SCAN + "BT (unfinished Tj [ << ET")
    path = export(tmp_path, source, read_page("found"))
    assert pdfium_text(path) == "found"


def test_a_document_whose_pages_are_counted_wrongly_can_be_searched(tmp_path: Path) -> None:
    source = Source()
    source.add(SCAN)
    document = source.save().replace(b"/Count 1", b"/Count 2")
    path = export(tmp_path, document, read_page("found"))
    assert pdfium_text(path) == "found"
    assert_looks_alike(path, tmp_path / "reading" / "document")


MEASURE = """
import sys
from pathlib import Path
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.formats import export_reading
folder = Path(sys.argv[1])
for form in map(ReadingFormat, sys.argv[2:]):
    export_reading(folder, "big.tiff", form, folder / "target")
status = Path("/proc/self/status").read_text().split()
print(int(status[status.index("VmHWM:") + 1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory is not told here")
def test_a_hundred_pages_take_no_more_memory_than_a_few(tmp_path: Path) -> None:
    forms = ["text", "json", "tsv", "hocr", "alto", "page", "pdf"]
    lines = [line_of("some words of a line that is quite long", 40, 20 + 24 * n) for n in range(12)]
    rng = np.random.default_rng(1)
    noise = [Image.fromarray(rng.integers(0, 256, (600, 450), np.uint8)) for _ in range(3)]
    used = []
    for count in (3, 120):
        buffer = io.BytesIO()
        noise[0].save(buffer, "TIFF", save_all=True, append_images=[noise[n % 3] for n in range(1, count)])
        pages = [page_of(*lines, page=n, width=450, height=600) for n in range(1, count + 1)]
        folder = keep(tmp_path / str(count), pages, buffer.getvalue())
        command = [sys.executable, "-c", MEASURE, str(folder), *forms]
        used.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    assert (folder / "target").stat().st_size > 30 * 2**20
    assert used[1] < used[0] + 15, "MiB"


def assert_looks_alike(path: Path, original: Path) -> None:
    """Check that the first pages look alike, but for what a JPEG changes."""
    drawn = []
    for file in (path, original):
        with pdfium_page(file) as page:
            drawn.append(np.asarray(page.render(scale=1).to_pil().convert("L"), np.float32))
    assert drawn[0].shape == drawn[1].shape
    assert np.abs(drawn[0] - drawn[1]).mean() < 4
