"""Pictures become searchable PDFs."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from haleganada_server.core.reading.page import PageReading, Polygon, TextLine, TextWord
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.reading.formats import export_reading
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.unit.server.reading.formats.pdf.pdf_text import (
    Box,
    distance,
    pdfium_find,
    pdfium_page,
    pdfium_text,
    pdftotext,
    poppler_words,
)
from tests.unit.server.reading.formats.sample_pages import block_of, box, keep, line_of, page_of

WIDTH, HEIGHT = 600, 800
DPI = 144  # so that a px is half a point


def picture(mode: str = "L", size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """Return a picture whose four corners differ."""
    image = Image.new("RGB", size, "white")
    image.paste((0, 0, 0), (0, 0, size[0] // 4, size[1] // 8))
    image.paste((90, 90, 90), (size[0] - 40, 0, size[0], 90))
    return image.convert(mode)


def encode(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **({"dpi": (DPI, DPI)} | options))
    return buffer.getvalue()


def export(folder: Path, document: bytes, *pages: PageReading, file_name: str = "scan.png") -> Path:
    reading = keep(folder / "reading", pages, document)
    export_reading(reading, file_name, ReadingFormat.PDF, folder / "target.pdf")
    with pikepdf.open(folder / "target.pdf") as pdf:
        assert pdf.check_pdf_syntax() == []
    return folder / "target.pdf"


def draw(path: Path, page: int = 1, scale: float = DPI / 72) -> NDArray[np.uint8]:
    with pdfium_page(path, page) as loaded:
        return np.asarray(loaded.render(scale=scale).to_pil().convert("RGB"))


def points(polygon: Polygon) -> Box:
    """Return the box of a polygon in points."""
    xs, ys = zip(*polygon, strict=True)
    left, top, right, bottom = (value * 72 / DPI for value in (min(xs), min(ys), max(xs), max(ys)))
    return left, top, right, bottom


def backwards(line: TextLine) -> TextLine:
    """Return a line whose words stand from right to left."""
    edge = max(x for x, _ in line.polygon) + min(x for x, _ in line.polygon)
    words = [
        TextWord(text=word.text, polygon=box(edge - word.polygon[1][0], word.polygon[0][1], *_size(word.polygon)))
        for word in line.words
    ]
    return TextLine(text=line.text, polygon=line.polygon, words=tuple(words), engine=line.engine)


def _size(polygon: Polygon) -> tuple[float, float]:
    return polygon[2][0] - polygon[0][0], polygon[2][1] - polygon[0][1]


def turn(polygon: Polygon, degrees: float, center: tuple[float, float] = (WIDTH / 2, HEIGHT / 2)) -> Polygon:
    """Turn a polygon clockwise, as one sees it."""
    c, s, (cx, cy) = math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), center
    return tuple((cx + c * (x - cx) - s * (y - cy), cy + s * (x - cx) + c * (y - cy)) for x, y in polygon)


def turn_line(line: TextLine, degrees: float) -> TextLine:
    words = tuple(TextWord(text=word.text, polygon=turn(word.polygon, degrees)) for word in line.words)
    return TextLine(text=line.text, polygon=turn(line.polygon, degrees), words=words, engine=line.engine)


LINES = [
    line_of("Hello <&> “world”", 40, 100),
    line_of("ಕ್ಷಮೆ ನಮಸ್ಕಾರ ಕನ್ನಡ", 40, 140),
    line_of("nai\u0308ve cafe\u0301", 40, 180),
    line_of("\U0001f600 \U00011a00x 𐎠𐎡", 40, 220),
    line_of("中文 字", 40, 260),
    backwards(line_of("שלום עולם", 40, 300)),
    backwards(line_of("مرحبا بالعالم 123", 40, 340)),
    line_of("İstanbul’da Straße", 40, 380),
]
IDS = [line.text for line in LINES]


@pytest.mark.parametrize("line", LINES, ids=IDS)
def test_pdftotext_finds_each_word_in_its_box(tmp_path: Path, line: TextLine) -> None:
    found = dict(poppler_words(export(tmp_path, encode(picture()), page_of(line, width=WIDTH, height=HEIGHT))))
    for word in line.words:
        boxes = [found[text] for text in (word.text, word.text[::-1]) if text in found]
        assert boxes, f"{word.text} is not among {list(found)}"
        assert distance(boxes[0], points(word.polygon)) < 2


@pytest.mark.parametrize("line", LINES, ids=IDS)
def test_pdfium_finds_each_word_in_its_box(tmp_path: Path, line: TextLine) -> None:
    path = export(tmp_path, encode(picture()), page_of(line, width=WIDTH, height=HEIGHT))
    assert pdfium_text(path) == line.text
    for word in line.words:
        if max(word.text) > "\uffff":
            continue  # which PDFium copies and does not search for
        (found,) = pdfium_find(path, word.text)
        assert distance(found, points(word.polygon)) < 2


def test_text_is_copied_in_reading_order(tmp_path: Path) -> None:
    # where most lines run from left to right, programs put numbers between Arabic words elsewhere
    page = page_of(*(line for line in LINES if "123" not in line.text), width=WIDTH, height=HEIGHT)
    path = export(tmp_path, encode(picture()), page)
    assert pdfium_text(path).split() == page.text.split()
    marks = str.maketrans("", "", "\u202a\u202b\u202c\u200e\u200f")
    assert pdftotext(path).translate(marks).split() == page.text.split()


def test_columns_are_read_one_after_another(tmp_path: Path) -> None:
    left = block_of(*(line_of(f"left {n}", 20, 100 + 40 * n) for n in range(5)))
    right = block_of(*(line_of(f"right {n}", 320, 100 + 40 * n) for n in range(5)))
    page = PageReading(page=1, width=WIDTH, height=HEIGHT, blocks=(left, right))
    path = export(tmp_path, encode(picture()), page)
    assert pdfium_text(path).split() == page.text.split()


def test_words_without_spaces_between_them_stay_together(tmp_path: Path) -> None:
    words = tuple(TextWord(text=text, polygon=box(40 + 40 * n, 100, 40, 20)) for n, text in enumerate(("日本", "語で")))
    line = TextLine(text="日本語で", polygon=box(40, 100, 80, 20), words=words, engine="x")
    path = export(tmp_path, encode(picture()), page_of(line, width=WIDTH, height=HEIGHT))
    assert len(pdfium_find(path, "日本語で")) == 1 and pdftotext(path).split() == ["日本語で"]


def test_words_that_nearly_touch_are_parted_by_spaces(tmp_path: Path) -> None:
    words = tuple(TextWord(text=text, polygon=box(40 + 40.5 * n, 100, 40, 20)) for n, text in enumerate(("near", "by")))
    line = TextLine(text="near by", polygon=box(40, 100, 81, 20), words=words, engine="x")
    path = export(tmp_path, encode(picture()), page_of(line, width=WIDTH, height=HEIGHT))
    assert pdfium_text(path).split() == ["near", "by"] and pdftotext(path).split() == ["near", "by"]


def test_a_line_without_words_is_found(tmp_path: Path) -> None:
    line = TextLine(text="no words here", polygon=box(40, 100, 300, 24), engine="x")
    path = export(tmp_path, encode(picture()), page_of(line, width=WIDTH, height=HEIGHT))
    assert distance(pdfium_find(path, "no words here")[0], points(line.polygon)) < 2
    assert pdftotext(path).split() == ["no", "words", "here"]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_text_that_stands_on_its_side_is_found(tmp_path: Path, degrees: int) -> None:
    lines = [
        turn_line(line_of(text, 150, 300 + 40 * n), degrees) for n, text in enumerate(("first line", "second row"))
    ]
    path = export(tmp_path, encode(picture()), page_of(*lines, width=WIDTH, height=HEIGHT))
    # PDFium sorts the words of a line from left to right, Poppler the lines from top to bottom, as they stand
    assert sorted(pdfium_text(path).split()) == sorted(pdftotext(path).split()) == ["first", "line", "row", "second"]
    found = dict(poppler_words(path))
    for word in (word for line in lines for word in line.words):
        assert distance(found[word.text], points(word.polygon)) < 2
        assert distance(pdfium_find(path, word.text)[0], points(word.polygon)) < 2


@pytest.mark.parametrize("degrees", [-10, -3, 1, 10])
def test_skewed_words_are_found_where_they_are(tmp_path: Path, degrees: float) -> None:
    line = turn_line(line_of("these words run downhill together", 120, 400), degrees)
    path = export(tmp_path, encode(picture()), page_of(line, width=WIDTH, height=HEIGHT))
    assert pdfium_text(path).split() == line.text.split()
    assert sorted(pdftotext(path).split()) == sorted(line.text.split()), "no word falls apart"
    found = dict(poppler_words(path))
    for word in line.words:
        left, top, right, bottom = points(word.polygon)
        x0, y0, x1, y1 = found[word.text]
        assert abs(x0 - left) < 2 and abs(x1 - right) < 2 and abs(y0 + y1 - top - bottom) < 4


def test_steep_text_is_found(tmp_path: Path) -> None:
    line = turn_line(line_of("up the hill", 200, 400), -45)
    path = export(tmp_path, encode(picture()), page_of(line, width=WIDTH, height=HEIGHT))
    for word in line.words:
        assert distance(pdfium_find(path, word.text)[0], points(word.polygon)) < 2


def test_the_outline_of_a_line_may_have_many_corners(tmp_path: Path) -> None:
    outline: Polygon = ((40, 100), (140, 97), (240, 100), (340, 101), (340, 124), (190, 127), (40, 125))
    path = export(
        tmp_path,
        encode(picture()),
        page_of(TextLine(text="wavy", polygon=outline, engine="x"), width=WIDTH, height=HEIGHT),
    )
    assert distance(pdfium_find(path, "wavy")[0], points(outline)) < 2


SIDE = st.integers(-WIDTH, 2 * WIDTH) | st.floats(-10, WIDTH + 10, allow_nan=False)


@given(text=st.text(), outline=st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=7))
def test_any_text_anywhere_gives_a_sound_file(
    tmp_path_factory: pytest.TempPathFactory, text: str, outline: list[tuple[float, float]]
) -> None:
    word = TextWord(text=text, polygon=tuple(outline))
    line = TextLine(text=f"{text} x", polygon=tuple(outline), words=(word, word, word), engine="x")
    path = export(tmp_path_factory.mktemp("any"), encode(picture("1")), page_of(line, width=WIDTH, height=HEIGHT))
    pdfium_text(path)


def test_the_text_cannot_be_seen(tmp_path: Path) -> None:
    source = picture("RGB")
    path = export(tmp_path, encode(source), page_of(*LINES, width=WIDTH, height=HEIGHT))
    assert (draw(path) == np.asarray(source)).all()


@pytest.mark.parametrize(
    "page", [page_of(width=WIDTH, height=HEIGHT), page_of(TextLine(text="", polygon=box(1, 1, 9, 9)))]
)
def test_a_page_without_text_is_just_a_picture(tmp_path: Path, page: PageReading) -> None:
    path = export(tmp_path, encode(picture()), page)
    assert pdfium_text(path) == "" and (draw(path)[..., 0] == np.asarray(picture())).all()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_is_kept_byte_for_byte(tmp_path: Path, mode: str) -> None:
    document = encode(picture(mode), "JPEG", quality=80)
    path = export(tmp_path, document, page_of(LINES[0], width=WIDTH, height=HEIGHT), file_name="a.jpg")
    with pikepdf.open(path) as pdf:
        assert pdf.pages[0].obj.Resources.XObject.Im.read_raw_bytes() == document
    assert np.abs(draw(path).astype(int)[..., 0] - np.asarray(picture("RGB"))[..., 0]).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = picture("RGB").transpose(
        {
            2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270,
        }[orientation]
    ) if orientation > 1 else picture("RGB")  # fmt: skip
    document = encode(stored, "JPEG", exif=exif)
    path = export(tmp_path, document, page_of(LINES[0], width=WIDTH, height=HEIGHT), file_name="a.jpg")
    with pikepdf.open(path) as pdf:
        assert pdf.pages[0].obj.Resources.XObject.Im.read_raw_bytes() == document
    drawn = draw(path)
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(drawn.astype(int) - np.asarray(picture("RGB"))).mean() < 3
    assert distance(pdfium_find(path, "Hello")[0], points(LINES[0].words[0].polygon)) < 2


def test_a_jpeg_of_four_inks_looks_the_same(tmp_path: Path) -> None:
    document = encode(picture("RGB").convert("CMYK"), "JPEG")
    path = export(tmp_path, document, page_of(LINES[0], width=WIDTH, height=HEIGHT), file_name="a.jpg")
    assert np.abs(draw(path).astype(int) - np.asarray(picture("RGB"))).mean() < 8


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "WEBP"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_flat_pictures_are_stored_without_loss(tmp_path: Path, form: str, mode: str) -> None:
    source = picture(mode)
    options = {"lossless": True} if form == "WEBP" else {}
    path = export(tmp_path, encode(source, form, **options), page_of(width=WIDTH, height=HEIGHT))
    with pikepdf.open(path) as pdf:
        image = pdf.pages[0].obj.Resources.XObject.Im
        assert image.Filter == pikepdf.Name.FlateDecode
        assert int(image.BitsPerComponent) == (1 if mode == "1" else 8)
        assert image.ColorSpace == pikepdf.Name.DeviceGray, "a picture without colors needs one value for each px"
    assert (draw(path, scale=WIDTH / pdfium_size(path)[0])[:HEIGHT] == np.asarray(source.convert("RGB"))).all()


def pdfium_size(path: Path) -> tuple[float, float]:
    with pdfium_page(path) as page:
        width, height = page.get_size()
        return width, height


def test_photos_are_compressed(tmp_path: Path) -> None:
    noise = np.random.default_rng(7).normal(0, 9, (HEIGHT, WIDTH, 1))
    slope = np.linspace((200, 150, 100), (90, 120, 180), WIDTH)
    photo = (slope + noise).clip(0, 255).astype(np.uint8)
    document = encode(Image.fromarray(photo))
    path = export(tmp_path, document, page_of(width=WIDTH, height=HEIGHT))
    assert path.stat().st_size < len(document) / 3
    assert np.abs(draw(path).astype(int) - photo).mean() < 6


@pytest.mark.parametrize(
    ("dpi", "size", "expected"),
    [
        ((144, 144), (600, 800), (300, 400)),
        ((204, 98), (1728, 1100), (609.9, 808.2)),
        ((72, 72), (600, 800), (631.5, 842)),
        ((1, 1), (3000, 2000), (842, 561.3)),
    ],
)
def test_a_page_is_as_large_as_the_paper_was(
    tmp_path: Path, dpi: tuple[int, int], size: tuple[int, int], expected: tuple[float, float]
) -> None:
    path = export(tmp_path, encode(picture(size=size), dpi=dpi), page_of(width=size[0], height=size[1]))
    assert pdfium_size(path) == pytest.approx(expected, abs=0.5)


def tiff(images: Sequence[Image.Image]) -> bytes:
    return encode(images[0], "TIFF", save_all=True, append_images=list(images[1:]), compression="tiff_deflate")


def test_the_pdf_of_a_picture_is_titled(tmp_path: Path) -> None:
    with pikepdf.open(export(tmp_path, encode(picture()), page_of(), file_name="ಪತ್ರ & 1.png")) as pdf:
        assert str(pdf.docinfo.Title) == "ಪತ್ರ & 1.png"


def test_all_pages_of_a_tiff_are_there(tmp_path: Path) -> None:
    document = tiff([picture("L"), picture("1", (300, 200)), picture("RGB")])
    pages = [
        page_of(line_of("first", 40, 100), width=WIDTH, height=HEIGHT),
        page_of(line_of("third", 40, 100), page=3, width=WIDTH, height=HEIGHT),
    ]
    path = export(tmp_path, document, *pages, file_name="all.tiff")
    assert [pdfium_text(path, page) for page in (1, 2, 3)] == ["first", "", "third"]
    with pdfium_page(path, 2) as page:
        assert page.get_size() == pytest.approx((150, 100), abs=0.1)
