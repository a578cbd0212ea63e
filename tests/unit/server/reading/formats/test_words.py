"""The layout of the IAM database: export and import."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, HaleganadaError, Precondition
from haleganada_server.core.reading.codec import page_from_json
from haleganada_server.core.reading.page import PageReading, TextLine, TextWord
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.formats import export_reading, import_words
from PIL import Image

from tests.unit.server.reading.formats.drawn_pages import draw_words, to_bytes
from tests.unit.server.reading.formats.sample_pages import box, keep, line_of, page_of

PAGE = page_of(line_of("a move to", 20, 30), line_of("ಕ್ಷಮೆ <&>", 20, 80), width=300, height=200)


def export(folder: Path, *pages: PageReading) -> Path:
    images = [draw_words(page) for page in pages]
    document = (
        to_bytes(images[0], "TIFF", save_all=True, append_images=images[1:]) if len(images) > 1 else to_bytes(images[0])
    )
    name, kind = export_reading(keep(folder / "r", pages, document), "scan.png", ReadingFormat.WORDS, folder / "w.zip")
    assert (name, kind) == ("scan.words.zip", "application/zip")
    return folder / "w.zip"


def pack(folder: Path, members: Mapping[str, bytes | str]) -> Path:
    path = folder / "packed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def import_zip(folder: Path, archive: Path) -> list[PageReading]:
    reading = folder / "imported"
    reading.mkdir()
    count = import_words(archive, reading)
    assert sorted(path.name for path in reading.iterdir()) == [
        "document",
        *(f"page-{number:05d}.json" for number in range(1, count + 1)),
    ]
    return [page_from_json(json.loads(path.read_bytes())) for path in sorted(reading.glob("page-*.json"))]


def words_of(page: PageReading) -> list[list[tuple[str, tuple[tuple[float, float], ...]]]]:
    return [[(word.text, word.polygon) for word in line.words] for line in page.lines]


def draw_page(folder: Path, page: int = 1) -> np.ndarray:
    with closing(open_document(folder / "imported" / "document")) as document:
        return document.draw(page)


def test_words_are_listed_as_in_the_iam_database(tmp_path: Path) -> None:
    with zipfile.ZipFile(export(tmp_path, PAGE)) as archive:
        lines = archive.read("words.txt").decode().splitlines()
        listed = [line.split(" ") for line in lines if not line.startswith("#")]
        assert [fields[0] for fields in listed] == [
            f"page-00001-{n}" for n in ("00-00", "00-01", "00-02", "01-00", "01-01")
        ]
        assert listed[1] == ["page-00001-00-01", "ok", listed[1][2], "40", "30", "40", "20", "UNK", "move"]
        assert all(40 <= int(fields[2]) < 250 for fields in listed), "the gray level is between ink and paper"
        sequence = archive.read("img_names_sequence.txt").decode().split()
        assert sequence == [f"{fields[0]}.png" for fields in listed]
        crop = Image.open(io.BytesIO(archive.read("words/page/page-00001/page-00001-00-01.png")))
        assert (crop.mode, crop.size) == ("L", (40, 20))
        page = Image.open(io.BytesIO(archive.read("page/page-00001.png")))
        assert (np.asarray(page) == np.asarray(draw_words(PAGE))).all()
        assert (np.asarray(crop) == np.asarray(page)[30:50, 40:80]).all()


def test_what_was_not_read_has_pictures_only(tmp_path: Path) -> None:
    words = (TextWord(text="", polygon=box(20, 20, 30, 20)), TextWord(text="read", polygon=box(60, 20, 40, 20)))
    bare = TextLine(text="", polygon=box(20, 60, 90, 20))
    line = TextLine(text="read", polygon=box(20, 20, 80, 20), words=words)
    with zipfile.ZipFile(export(tmp_path, page_of(line, bare, width=200, height=100))) as archive:
        listed = [line for line in archive.read("words.txt").decode().splitlines() if not line.startswith("#")]
        assert [line.split()[0] for line in listed] == ["page-00001-00-01"]
        names = archive.read("img_names_sequence.txt").decode().split()
        assert names == ["page-00001-00-00.png", "page-00001-00-01.png", "page-00001-01-00.png"]
        assert all(f"words/page/page-00001/{name}" in archive.namelist() for name in names)


def test_a_page_without_blocks_is_exported(tmp_path: Path) -> None:
    with zipfile.ZipFile(export(tmp_path, page_of(width=30, height=20))) as archive:
        assert archive.namelist() == ["page/page-00001.png", "words.txt", "img_names_sequence.txt"]


@pytest.mark.parametrize("count", [1, 3])
def test_what_was_exported_can_be_imported(tmp_path: Path, count: int) -> None:
    pages = [
        page_of(*PAGE.lines, line_of(f"page {n}", 20, 120), page=n, width=300, height=200) for n in range(1, count + 1)
    ]
    imported = import_zip(tmp_path, export(tmp_path, *pages))
    assert [(page.page, page.width, page.height) for page in imported] == [(page.page, 300, 200) for page in pages]
    assert [words_of(page) for page in imported] == [words_of(page) for page in pages]
    assert [page.text for page in imported] == [page.text for page in pages]
    for page in pages:
        assert (draw_page(tmp_path, page.page)[..., 0] == np.asarray(draw_words(page))).all()


CROP = to_bytes(Image.new("L", (50, 30), 90))
WIDE = to_bytes(Image.new("L", (80, 24), 30))


def test_words_without_pages_are_put_where_their_boxes_are(tmp_path: Path) -> None:
    listed = "a01-000u-00-00 ok 154 40 70 50 30 AT A\na01-000u-00-01 err 154 100 74 80 24 NN move now\n"
    names = [f"words/a01/a01-000u/a01-000u-00-0{n}.png" for n in range(2)]
    archive = pack(tmp_path, {"data/words.txt": listed, names[0]: CROP, names[1]: WIDE})
    (page,) = import_zip(tmp_path, archive)
    assert words_of(page) == [[("A", box(40, 70, 50, 30)), ("move now", box(100, 74, 80, 24))]]
    picture = draw_page(tmp_path)
    assert (picture[70:100, 40:90] == 90).all() and (picture[74:98, 100:180] == 30).all() and picture[0, 0, 0] == 255


@pytest.mark.parametrize("order", [("00-00", "00-01", "01-00"), ("01-00", "00-01", "00-00")])
def test_words_without_boxes_are_put_in_their_order(tmp_path: Path, order: tuple[str, ...]) -> None:
    listed = "# a comment\n\n" + "".join(f"x-{n} err 0 -1 -1 -1 -1 UNK w{n}\n" for n in ("00-00", "00-01", "01-00"))
    sequence = "".join(f"words\\x-{n}.png\r\n" for n in order)
    lists: dict[str, bytes | str] = {"words.txt": listed, "img_names_sequence.txt": sequence}
    archive = pack(tmp_path, {**lists, **{f"words/x-{n}.png": CROP for n in sorted(order)}})
    (page,) = import_zip(tmp_path, archive)
    assert [word.text for line in page.lines for word in line.words] == [f"w{n}" for n in order]
    tops = [[word.polygon[0][1] for word in line.words] for line in page.lines]
    assert len(tops) == 2 and tops == sorted(tops), "one line for each"
    picture = draw_page(tmp_path)
    for word in (word for line in page.lines for word in line.words):
        (left, top), (right, bottom) = word.polygon[0], word.polygon[2]
        assert (picture[int(top) : int(bottom), int(left) : int(right)] == 90).all()
    assert (picture == 90).sum() == 3 * CROP_PIXELS


CROP_PIXELS = 3 * 50 * 30


def test_words_of_a_line_from_right_to_left_are_put_so(tmp_path: Path) -> None:
    listed = "x-00-00 err 0 -1 -1 -1 -1 UNK שלום\nx-00-01 err 0 -1 -1 -1 -1 UNK עולם\n"
    archive = pack(tmp_path, {"words.txt": listed, "x-00-00.png": CROP, "x-00-01.png": WIDE})
    (page,) = import_zip(tmp_path, archive)
    first, second = page.lines[0].words
    assert first.text == "שלום" and first.polygon[0][0] > second.polygon[1][0]


def test_crops_alone_become_a_page_that_is_not_read(tmp_path: Path) -> None:
    archive = pack(tmp_path, {**{f"{n:03d}.png": CROP for n in range(60)}, "page/form.png": WIDE})
    (page,) = import_zip(tmp_path, archive)
    assert page.text.strip() == "" and sum(len(line.words) for line in page.lines) == 60 and len(page.lines) == 2


def test_the_picture_of_a_page_is_kept_as_it_is(tmp_path: Path) -> None:
    picture = to_bytes(draw_words(PAGE), "JPEG")
    archive = pack(tmp_path, {"words.txt": "a-00-00 ok 1 20 30 500 500 UNK big\n", "forms/a.jpg": picture})
    (page,) = import_zip(tmp_path, archive)
    assert (tmp_path / "imported" / "document").read_bytes() == picture
    assert words_of(page) == [[("big", box(20, 30, 280, 170))]], "a box ends where the page ends"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("a-00-00 ok 1 2 3 4 5 UNK", "line 1 of words.txt has 8 fields, not 9"),
        ("# x\n\na-00-00 yes 1 2 3 4 5 UNK A", "line 3 of words.txt has “yes”"),
        ("word ok 1 2 3 4 5 UNK A", "line 1 of words.txt has the id “word”"),
        ("a-00-00 ok 1 2 x 4 5 UNK A", "line 1 of words.txt has the box “2 x 4 5”"),
        ("a-00-00 ok 1 2 3 0 5 UNK A", "line 1 of words.txt has the box “2 3 0 5”"),
        ("a-00-00 ok 1 2 3 99999999999 5 UNK A", "line 1 of words.txt has the box"),
        ("a-00-00 ok 1 -1 -1 -1 -1 UNK A", "mark the word “err”"),
        (
            "a-00-00 ok 1 2 3 4 5 UNK A\na-00-00 ok 1 2 3 4 5 UNK B",
            "line 2 of words.txt has the id “a-00-00” of another",
        ),
        ("a-00-00 ok 1 2 3 4 5 UNK A\n\xff", "line 2 of words.txt is not UTF-8"),
        ("a-00-00 ok 1 900 3 4 5 UNK A", "a word a-00-00 whose box is outside of the page a, which has 300 x 200"),
        ("b-00-00 ok 1 2 3 4 5 UNK A", "neither a picture of the page b nor of any of its words"),
        ("# nothing", "neither words.txt with words in it nor pictures"),
    ],
)
def test_bad_lists_are_explained(tmp_path: Path, listed: str, expected: str) -> None:
    data = listed.encode("latin-1" if "\xff" in listed else "utf-8")
    archive = pack(tmp_path, {"words.txt": data, "page/a.png": to_bytes(draw_words(PAGE))})
    error = refuse(tmp_path, archive)
    assert expected in error.message and error.reason is Reason.DOCUMENT_UNREADABLE


def refuse(folder: Path, archive: Path) -> HaleganadaError:
    (folder / "imported").mkdir()
    with pytest.raises((Precondition, Exhausted)) as error:
        import_words(archive, folder / "imported")
    assert not [path for path in folder.rglob("*") if path.name.startswith("import-")]
    return error.value


@pytest.mark.parametrize("name", ["../words.txt", "/etc/words.txt", "a/../../b.png", "..\\x.png", "C:\\x.png"])
def test_names_that_lead_out_of_the_zip_are_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("words.txt", "a-00-00 ok 1 2 3 4 5 UNK A")
        archive.writestr(name, CROP)
    assert "leads out of it" in refuse(tmp_path, tmp_path / "x.zip").message


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    archive = pack(tmp_path, {"words.txt": b"#" * 100_000_000})
    assert "unpacks to" in refuse(tmp_path, archive).message


def test_a_picture_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    bomb = to_bytes(Image.new("1", (20_000, 20_000)))
    archive = pack(tmp_path, {"words.txt": "a-00-00 ok 1 2 3 4 5 UNK A", "page/a.png": bomb})
    assert refuse(tmp_path, archive).reason is Reason.DOCUMENT_TOO_LARGE


def test_pictures_that_are_too_much_for_one_page_are_refused(tmp_path: Path) -> None:
    large = to_bytes(Image.new("L", (8_000, 8_000), 200))
    listed = "a-00-00 ok 1 0 0 8000 8000 UNK A\na-00-01 ok 1 8000 0 8000 8000 UNK B"
    archive = pack(tmp_path, {"words.txt": listed, "a-00-00.png": large, "a-00-01.png": large})
    assert refuse(tmp_path, archive).reason is Reason.DOCUMENT_TOO_LARGE


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", b"\x00" * 5000])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    error = refuse(tmp_path, tmp_path / "x.zip")
    assert "is not a zip file" in error.message and error.reason is Reason.DOCUMENT_UNREADABLE


def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    archive = pack(tmp_path, {"words.txt": "a-00-00 ok 1 2 3 4 5 UNK A", "page/a.png": b"GIF? no"})
    error = refuse(tmp_path, archive)
    assert "picture a that cannot be used" in error.message and error.reason is Reason.DOCUMENT_UNREADABLE
