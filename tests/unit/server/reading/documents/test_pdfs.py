"""Pages of PDFs are drawn as a viewer shows them, and their text is found where it is."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.reading.page import TEXT_LAYER
from haleganada_server.reading.documents import open_document
from PIL import Image

from tests.unit.server.reading.pages import PdfDraft, box_of, dark_box, draw_page, raw_stream, write_raw_pdf


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turns_a_page_by_its_rotate_entry(tmp_path: Path, turn: int) -> None:
    draft = PdfDraft()
    page = draft.add_page(300, 400)
    draft.write(page, "Upper left", 20, 370)
    page.set_rotation(turn)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    drawn = document.draw(1)

    assert drawn.shape[:2] == ((1667, 1250) if turn in (0, 180) else (1250, 1667))
    upright = np.rot90(drawn, turn // 90)
    assert dark_box(upright, (0, 0, 500, 200)) > 0.01
    assert dark_box(upright, (0, 200, 1250, 1667)) == 0
    document.close()


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_finds_text_where_it_is(tmp_path: Path, turn: int) -> None:
    draft = PdfDraft()
    page = draft.add_page()
    draft.write(page, "Hello wide world", 40, 330)
    draft.write(page, "Second line", 40, 300)
    page.set_rotation(turn)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    drawn, lines = document.draw(1), document.text_lines(1)

    assert [line.text for line in lines] == ["Hello wide world", "Second line"]
    assert [word.text for word in lines[0].words] == ["Hello", "wide", "world"]
    assert [glyph.text for glyph in lines[0].words[1].glyphs] == list("wide")
    assert {line.engine for line in lines} == {TEXT_LAYER}
    for line in lines:
        for word in line.words:
            assert dark_box(drawn, box_of(word.polygon)) > 0.05
    outside = drawn.copy()
    for line in lines:
        left, top, right, bottom = (round(side) for side in box_of(line.polygon))
        outside[top : bottom + 1, left : right + 1] = 255
    assert (outside > 200).all()  # no ink but inside of the lines
    document.close()


@pytest.mark.parametrize(
    ("degrees", "first"), [(0, "upper left"), (90, "lower left"), (180, "lower right"), (270, "upper right")]
)
def test_polygons_begin_where_the_text_begins(tmp_path: Path, degrees: float, first: str) -> None:
    draft = PdfDraft()
    page = draft.add_page()
    draft.write(page, "turned", 150, 200, degrees=degrees)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    (line,) = document.text_lines(1)

    left, top, right, bottom = box_of(line.polygon)
    corners = {
        "upper left": (left, top),
        "upper right": (right, top),
        "lower right": (right, bottom),
        "lower left": (left, bottom),
    }
    assert line.polygon[0] == pytest.approx(corners[first], abs=0.01)
    x, y = (np.array([point[i] for point in line.polygon]) for i in (0, 1))
    assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0  # clockwise, as y grows downwards
    document.close()


def test_draws_a_scan_at_its_own_resolution(tmp_path: Path) -> None:
    scan = draw_page(["Some words of a page"], size=(800, 1000), at=(100, 100))
    draft = PdfDraft()
    page = draft.add_page(288, 360)  # 200 dpi
    draft.show(page, scan, (0, 0, 288, 360))
    draft.write(page, "Some words of a page", 36, 310, size=12, mode=3)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    drawn = document.draw(1)

    assert drawn.shape == (1000, 800, 3)
    assert np.abs(drawn.astype(int) - np.asarray(scan)).max() <= 2
    assert [line.text for line in document.text_lines(1)] == ["Some words of a page"]
    document.close()


def test_a_stamp_on_a_scan_is_not_the_text_of_the_page(tmp_path: Path) -> None:
    draft = PdfDraft()
    page = draft.add_page(288, 360)
    draft.show(page, draw_page(["Some words of a page"], size=(800, 1000), at=(100, 100)), (0, 0, 288, 360))
    draft.write(page, "Archive 0815, page 7", 36, 20, size=8)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    assert document.text_lines(1) == []
    document.close()


def test_draws_text_over_a_coarse_background_sharply(tmp_path: Path) -> None:
    draft = PdfDraft()
    page = draft.add_page(288, 360)
    draft.show(page, Image.new("RGB", (288, 360), "ivory"), (0, 0, 288, 360))
    draft.write(page, "A slide", 36, 310)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    assert document.draw(1).shape == (1500, 1200, 3)
    document.close()


def test_opens_a_thousand_pages_at_once(tmp_path: Path) -> None:
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", font]
    for number in range(1, 1001):
        at = len(objects) + 1
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Contents %d 0 R /Resources << /Font << /F 3 0 R >> "
            b">> >>" % (at + 1)
        )
        objects.append(raw_stream(b"BT /F 16 Tf 40 330 Td (Page %d) Tj ET" % number))
    kids = b" ".join(b"%d 0 R" % at for at in range(4, len(objects) + 1, 2))
    objects[1] = b"<< /Type /Pages /Count 1000 /Kids [%s] >>" % kids
    path = write_raw_pdf(tmp_path / "a.pdf", objects)

    begin = time.perf_counter()
    document = open_document(path)
    seconds = time.perf_counter() - begin

    assert document.pages_total == 1000
    assert seconds < 1
    assert [line.text for line in document.text_lines(1000)] == ["Page 1000"]
    document.close()


def test_glyphs_of_indic_text_are_aksharas(tmp_path: Path) -> None:
    font = Path("/usr/share/fonts/truetype/lohit-kannada/Lohit-Kannada.ttf")
    if not font.exists():
        pytest.skip("no Kannada font is installed")
    draft = PdfDraft(font)
    draft.write(draft.add_page(), "ಕನ್ನಡ ಲಿಪಿ", 40, 330)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    (line,) = document.text_lines(1)

    assert line.text == "ಕನ್ನಡ ಲಿಪಿ"
    assert [[glyph.text for glyph in word.glyphs] for word in line.words] == [["ಕ", "ನ್ನ", "ಡ"], ["ಲಿ", "ಪಿ"]]
    document.close()


def test_columns_of_text_are_lines_of_their_own_in_the_order_of_the_file(tmp_path: Path) -> None:
    draft = PdfDraft()
    page = draft.add_page()
    for left, name in ((20, "left"), (180, "right")):
        for row in range(3):
            draft.write(page, f"{name} {row}", left, 330 - 20 * row, size=12)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    assert [line.text for line in document.text_lines(1)] == [
        "left 0", "left 1", "left 2", "right 0", "right 1", "right 2",
    ]  # fmt: skip
    document.close()


def test_text_outside_of_the_visible_page_is_left_out(tmp_path: Path) -> None:
    draft = PdfDraft()
    page = draft.add_page(300, 400)
    draft.write(page, "inside", 60, 330)
    draft.write(page, "outside", 60, 30)
    page.set_cropbox(50, 100, 300, 400)
    document = open_document(draft.save(tmp_path / "a.pdf"))

    drawn, lines = document.draw(1), document.text_lines(1)

    assert drawn.shape == (1250, 1042, 3)
    assert [line.text for line in lines] == ["inside"]
    assert dark_box(drawn, box_of(lines[0].polygon)) > 0.05
    document.close()


def test_what_was_filled_into_a_form_is_drawn(tmp_path: Path) -> None:
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (x) /F 4 /Rect [100 100 200 200] /P 3 0 R "
        b"/AP << /N 5 0 R >> >>"
    )
    path = write_raw_pdf(
        tmp_path / "a.pdf",
        [
            b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Annots [4 0 R] >>",
            field,
            raw_stream(b"0 0 100 100 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 100 100]"),
        ],
    )
    document = open_document(path)

    drawn = document.draw(1)

    assert dark_box(drawn, (500, 500, 800, 800)) > 0.9
    assert dark_box(drawn, (0, 0, 1250, 400)) == 0
    document.close()
