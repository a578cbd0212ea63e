"""TEXT, JSON and TSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.reading.codec import page_from_json, page_to_json
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.reading.formats import export_reading

from tests.unit.server.reading.formats.sample_pages import keep, line_of, page_of, varied_page


def test_text_has_pages_between_form_feeds(tmp_path: Path) -> None:
    pages = [
        page_of(line_of("one two", 9, 9), line_of("three", 9, 40)),
        page_of(page=2),
        page_of(line_of("ಅ", 5, 5), page=10),
    ]
    name, kind = export_reading(keep(tmp_path / "r", pages), "my scan.tiff", ReadingFormat.TEXT, tmp_path / "t")
    assert (name, kind) == ("my scan.txt", "text/plain; charset=utf-8")
    assert (tmp_path / "t").read_bytes().decode() == "one two\nthree\n\f\fಅ\n"


def test_text_has_no_control_characters_of_an_engine(tmp_path: Path) -> None:
    reading = keep(tmp_path / "r", [page_of(line_of("a\x0cb\x00c\ud800", 9, 9))])
    export_reading(reading, "", ReadingFormat.TEXT, tmp_path / "t")
    assert (tmp_path / "t").read_text("utf-8") == "abc?\n"


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [("", "document"), ("a/b\\c.x.png", "c.x"), ("..", "document"), ("/", "document"), (".hidden", ".hidden")],
)
def test_files_are_named_after_the_document(tmp_path: Path, file_name: str, expected: str) -> None:
    name, _ = export_reading(keep(tmp_path / "r", [page_of()]), file_name, ReadingFormat.TEXT, tmp_path / "t")
    assert name == f"{expected}.txt"


def test_json_has_the_pages_as_the_contract_names_them(tmp_path: Path) -> None:
    pages = [varied_page(1), page_of(page=2)]
    name, kind = export_reading(keep(tmp_path / "r", pages), 'x"y.pdf', ReadingFormat.JSON, tmp_path / "t")
    assert (name, kind) == ('x"y.json', "application/json")
    fields = json.loads((tmp_path / "t").read_text("utf-8"))
    assert fields["file_name"] == 'x"y.pdf' and fields["format"] == "haleganada-reading" and fields["version"] == 1
    first, second = (page_from_json(page) for page in fields["pages"])
    assert first.blocks[0] == pages[0].blocks[0] and second == pages[1]
    word = fields["pages"][0]["blocks"][0]["lines"][1]["words"][1]
    assert word["text"] == "nai\u0308ve" and "confidence" not in word


def test_the_layout_of_json_is_the_documented_one() -> None:
    document = Path(__file__).parents[5] / "docs" / "using" / "reading.md"
    example = json.loads(document.read_text("utf-8").split("## Formats")[1].split("```json")[1].split("```")[0])
    (page,) = example.pop("pages")
    assert example == {"format": "haleganada-reading", "version": 1, "file_name": "letter.jpg"}
    assert page_to_json(page_from_json(page)) == page


def test_json_of_no_pages_is_an_empty_list(tmp_path: Path) -> None:
    export_reading(keep(tmp_path / "r", []), "x", ReadingFormat.JSON, tmp_path / "t")
    assert json.loads((tmp_path / "t").read_text("utf-8"))["pages"] == []


def test_tsv_has_a_row_for_each_level(tmp_path: Path) -> None:
    reading = keep(tmp_path / "r", [varied_page()])
    name, _ = export_reading(reading, "p.png", ReadingFormat.TSV, tmp_path / "t")
    assert name == "p.tsv"
    with (tmp_path / "t").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row["level"] for row in rows[:3]] == ["1", "2", "4"]
    page, kannada = rows[0], next(row for row in rows if row["text"] == "ಕ್ಷಮೆ" and row["level"] == "5")
    assert (page["width"], page["height"], page["conf"], page["text"]) == ("600", "400", "", "")
    assert [kannada[name] for name in ("page_num", "block_num", "par_num", "line_num", "word_num")] == list("11121")
    assert [kannada[name] for name in ("left", "top", "width", "height", "conf")] == ["30", "100", "40", "20", "0.9000"]
    glyphs = [row for row in rows if row["level"] == "6" and row["word_num"] == "1"]
    assert [(row["text"], row["conf"], row["glyph_num"]) for row in glyphs] == [("ಕ್ಷ", "0.7500", "1"), ("ಮೆ", "", "2")]
    assert {row["text"] for row in rows} >= {"no words here", "a<b>", "\U0001f600"}
    outside = next(row for row in rows if row["level"] == "4" and row["text"] == "")
    assert (outside["left"], outside["width"]) == ("0", "600"), "boxes stay on the page"


@pytest.mark.parametrize("form", [ReadingFormat.TEXT, ReadingFormat.JSON, ReadingFormat.ALTO])
def test_a_damaged_page_is_told(tmp_path: Path, form: ReadingFormat) -> None:
    reading = keep(tmp_path / "r", [page_of(line_of("one", 5, 5))])
    (reading / "page-00001.json").write_text('{"page": 1')
    with pytest.raises(DataLoss) as error:
        export_reading(reading, "", form, tmp_path / "t")
    assert error.value.reason is Reason.READING_DAMAGED
    assert not (tmp_path / "t").exists(), "nothing half-written stays"
