"""Lines as people have them: tables, the IAM database, ALTO and PAGE XML; what is refused, and what is told."""

from __future__ import annotations

import itertools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.datasets.dataset import DatasetInfo, DatasetKind, DatasetOptions, LineFormat, Part
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.core.errors import DataLoss, InvalidInput
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.store.verification import verify_others
from haleganada_server.vision.line_pictures import open_line

from tests.support.line_sets import Row, draw_line, draw_page, make_table, to_png, write_files

WORDS = ("river", "stone", "cloud", "bridge", "candle", "window", "garden", "silver", "winter", "orange")


class World:
    """The data sets of one data directory."""

    def __init__(self, root: Path) -> None:
        numbers = itertools.count()
        self.root = root / "data"
        (self.root / "tmp").mkdir(parents=True)
        self.store = DatasetFolders(self.root / "datasets", lambda: self.root / "tmp" / str(next(numbers)))
        self.datasets = Datasets(self.store, lambda _: False)

    def add(self, path: Path, **options: Any) -> DatasetInfo:
        return self.datasets.add(path, path.name, DatasetOptions(**{"name": "lines", **options}))

    def read(self, info: DatasetInfo) -> list[tuple[str, Part]]:
        """Return text and part of each line."""
        folder = self.datasets.folder(info.dataset_id)
        parts = np.load(folder / "parts.npy")
        return list(zip((folder / "texts.txt").read_text().splitlines(), map(Part, parts), strict=True))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def rows_of(groups: int, each: int = 4) -> list[Row]:
    texts = itertools.product(WORDS, WORDS)
    return [
        (f"g{group}/{number}.png", " ".join(next(texts)), f"hand {group}", "")
        for group in range(groups)
        for number in range(each)
    ]


def test_a_table_of_lines_becomes_a_data_set_that_keeps_hands_apart(world: World, tmp_path: Path) -> None:
    info = world.add(write_files(tmp_path / "lines", make_table(rows_of(8))))
    assert info.kind is DatasetKind.LINES
    assert (sum(map(info.count, Part)), info.writers, info.notes) == (32, 8, ())
    assert {len({info.count(part) % 4}) for part in Part} == {1}, "whole hands are in each part"
    assert all(info.count(part) for part in Part)
    assert {label.label for label in info.labels} == set("".join(WORDS))
    assert sorted(text for text, _ in world.read(info)) == sorted(text for _, text, _, _ in rows_of(8))


def test_pictures_stay_with_their_texts(world: World, tmp_path: Path) -> None:
    info = world.add(write_files(tmp_path / "lines", make_table(rows_of(4))))
    folder = world.datasets.folder(info.dataset_id)
    pictures, ends = np.load(folder / "pictures.npy"), np.load(folder / "ends.npy")
    starts = [0, *ends[:-1]]
    for (text, _), start, end in zip(world.read(info), starts, ends, strict=True):
        assert np.array_equal(open_line(pictures[start:end].tobytes()), draw_line(text))


def test_a_folder_and_its_zip_are_the_same_data_set(world: World, tmp_path: Path) -> None:
    files = make_table(rows_of(4))
    folder = write_files(tmp_path / "lines", files)
    with zipfile.ZipFile(tmp_path / "lines.zip", "w") as file:
        for name in sorted(files, reverse=True):
            file.write(folder / name, f"inside/{name}")
    assert world.add(folder).sha256 == world.add(tmp_path / "lines.zip").sha256


def test_parts_that_the_table_gives_are_kept_and_leaks_are_told(world: World, tmp_path: Path) -> None:
    rows: list[Row] = [
        ("a.png", "river", "x", "train"),
        ("b.png", "stone", "x", "test"),
        ("c.png", "stone", "y", "train"),
        ("d.png", "cloud", "y", "validation"),
    ]
    info = world.add(write_files(tmp_path / "lines", make_table(rows)))
    assert sorted(world.read(info)) == [("cloud", Part.VALIDATION), ("river", Part.TRAIN), ("stone", Part.TEST)]
    assert (info.leaks, info.leaked[0].kept) == (1, "b.png"), "c.png is the picture of b.png"
    assert [note.reason for note in info.notes] == ["SHARED_WRITERS", "NOT_TRAINED"]


def test_lines_of_unknown_hands_and_repeated_texts_are_told(world: World, tmp_path: Path) -> None:
    table = "".join(f"{number}.png\triver\n" for number in range(40))
    pictures = {f"{number}.png": to_png(draw_line("river", 40 + number)) for number in range(40)}
    info = world.add(write_files(tmp_path / "lines", {"lines.tsv": table, **pictures}))
    assert [note.reason for note in info.notes] == ["UNKNOWN_WRITERS", "SHARED_TEXTS"]
    assert all(info.count(part) for part in Part)


def test_rows_that_cannot_be_used_are_refused_one_by_one(world: World, tmp_path: Path) -> None:
    good = make_table([(f"{word}.png", word, "", "") for word in WORDS])
    bad = ["gone.png\tx", "empty.png\t ", "white.png\tx", "../up.png\tx", "broken.png\tx", "river.png\tbad\ufffd"]
    table = str(good["lines.tsv"]) + "\n".join(bad)
    blank = to_png(np.full((40, 90), 255, np.uint8))
    others = {"empty.png": blank, "white.png": blank, "broken.png": b"no picture"}
    info = world.add(write_files(tmp_path / "lines", {**good, **others, "lines.tsv": table}))
    assert sum(map(info.count, Part)) == len(WORDS)
    assert info.refused_total == 6
    reasons = " ".join(refused.message for refused in info.refused)
    for expected in ("is not there", "is empty", "only one color", "U+FFFD"):
        assert expected in reasons


def test_the_iam_database(world: World, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "ascii/forms.txt": "# comment\na01-000 000 2 prt 7 5 52 36\n"
        "a01-003 000 2 prt 7 5 52 36\nb02-000 001 1 all 1 1 1 1\n",
        "ascii/lines.txt": "#--- lines\n"
        "a01-000-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop\n"
        "a01-003-00 err 154 19 408 746 1661 89 from|the|river\n"
        "b02-000-00 ok 154 19 408 746 1661 89 by|the|stone|.\n"
        "b02-000-01 ok 154 19 408\n",
        "lines/a01/a01-000/a01-000-00.png": to_png(draw_line("A MOVE to stop")),
        "lines/a01/a01-003/a01-003-00.png": to_png(draw_line("from the river")),
        "lines/b02/b02-000/b02-000-00.png": to_png(draw_line("by the stone .")),
    }
    info = world.add(write_files(tmp_path / "iam", files), validation_share=0.0)
    assert sorted(text for text, _ in world.read(info)) == ["A MOVE to stop", "by the stone .", "from the river"]
    assert (info.writers, info.refused_total) == (2, 1)
    hands = {part: {text[0] for text, own in world.read(info) if own is part} for part in (Part.TRAIN, Part.TEST)}
    assert hands in ({Part.TRAIN: {"A", "f"}, Part.TEST: {"b"}}, {Part.TRAIN: {"b"}, Part.TEST: {"A", "f"}})


def test_words_of_the_iam_database_and_of_exported_readings(world: World, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "words.txt": "page-00001-00-00 ok 154 408 768 27 51 UNK river\n"
        "page-00001-00-01 err 154 408 768 27 51 UNK wrong\n"
        "page-00002-00-00 ok 154 408 768 27 51 UNK stone\n",
        "words/page/page-00001/page-00001-00-00.png": to_png(draw_line("river")),
        "words/page/page-00001/page-00001-00-01.png": to_png(draw_line("wrong")),
        "words/page/page-00002/page-00002-00-00.png": to_png(draw_line("stone")),
    }
    info = world.add(write_files(tmp_path / "words", files))
    assert sorted(text for text, _ in world.read(info)) == ["river", "stone"]
    assert info.writers == 2, "pages that no form names are their own writers"


def page_xml(texts: list[str], boxes: list[tuple[int, int, int, int]]) -> str:
    lines = "".join(
        f'<TextLine id="l{number}"><Coords points="{a},{b} {c},{b} {c},{d} {a},{d}"/><Word id="w{number}"><TextEquiv>'
        f"<Unicode>word</Unicode></TextEquiv></Word><TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>"
        for number, (text, (a, b, c, d)) in enumerate(zip(texts, boxes, strict=True))
    )
    return (
        '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"><Page imageFilename="scan.png" '
        f'imageWidth="1" imageHeight="1"><TextRegion id="r">{lines}</TextRegion></Page></PcGts>'
    )


def alto(texts: list[str], boxes: list[tuple[int, int, int, int]]) -> str:
    lines = "".join(
        f'<TextLine ID="l{number}" HPOS="{a}" VPOS="{b}" WIDTH="{c - a}" HEIGHT="{d - b}">'
        + "<SP/>".join(f'<String CONTENT="{word}"/>' for word in text.split())
        + "</TextLine>"
        for number, (text, (a, b, c, d)) in enumerate(zip(texts, boxes, strict=True))
    )
    return (
        '<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><sourceImageInformation><fileName>scan.png'
        f"</fileName></sourceImageInformation></Description><Layout><Page>{lines}</Page></Layout></alto>"
    )


@pytest.mark.parametrize("write", [page_xml, alto])
def test_lines_are_cut_out_of_the_pictures_of_pages(world: World, tmp_path: Path, write: Any) -> None:
    texts = ["river stone", "cloud bridge", "candle window"]
    page, boxes = draw_page(texts)
    files = {"a/scan.xml": write(texts, boxes), "a/scan.png": to_png(page)}
    info = world.add(write_files(tmp_path / "pages", files), validation_share=0.0, test_share=0.0)
    assert sorted(text for text, _ in world.read(info)) == sorted(texts)
    folder = world.datasets.folder(info.dataset_id)
    ends = np.load(folder / "ends.npy")
    first = open_line(np.load(folder / "pictures.npy")[: ends[0]].tobytes())
    assert np.array_equal(first, draw_line(world.read(info)[0][0]))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('<!DOCTYPE PcGts [<!ENTITY a "aaaa">]><PcGts/>', "document type"),
        ("<PcGts", "not XML"),
        ('<PcGts><Page imageFilename="other.png"/></PcGts>', "other.png"),
    ],
)
def test_pages_that_cannot_be_read_are_refused(world: World, tmp_path: Path, content: str, why: str) -> None:
    page, boxes = draw_page(["river"])
    files: dict[str, bytes | str] = {
        "good.xml": page_xml(["river"], boxes),
        "scan.png": to_png(page),
        "zz.xml": content,
    }
    info = world.add(write_files(tmp_path / "pages", files), line_format=LineFormat.PAGE)
    assert why in info.refused[0].message


def test_outlines_outside_of_the_page_are_refused(world: World, tmp_path: Path) -> None:
    page, boxes = draw_page(["river", "stone"])
    outlines = [boxes[0], (5000, 10, 5200, 60)]
    files: dict[str, bytes | str] = {"scan.xml": page_xml(["river", "stone"], outlines), "scan.png": to_png(page)}
    info = world.add(write_files(tmp_path / "pages", files))
    assert "outside" in info.refused[0].message


@pytest.mark.parametrize(
    ("form", "missing"),
    [(LineFormat.TSV, "lines.tsv"), (LineFormat.IAM, "lines.txt"), (LineFormat.WORDS, "words.txt"),
     (LineFormat.ALTO, "ALTO"), (LineFormat.PAGE, "PAGE")],
)  # fmt: skip
def test_a_format_that_is_asked_for_has_to_be_there(
    world: World, tmp_path: Path, form: LineFormat, missing: str
) -> None:
    folder = write_files(tmp_path / "lines", {"a/1.png": to_png(draw_line("river"))})
    with pytest.raises(InvalidInput, match=missing):
        world.add(folder, line_format=form)
    (tmp_path / "x.npz").write_bytes(b"")
    with pytest.raises(InvalidInput, match=r"folder or \.zip"):
        world.add(tmp_path / "x.npz", line_format=form)


def test_changed_files_are_found(world: World, tmp_path: Path) -> None:
    info = world.add(write_files(tmp_path / "lines", make_table(rows_of(4))))
    folder = world.root / "datasets" / info.dataset_id
    assert [checked.problem for checked in verify_others(world.root)] == [""]
    (folder / "texts.txt").write_text((folder / "texts.txt").read_text().replace("river", "diver"))
    with pytest.raises(DataLoss, match="damaged"):
        world.datasets.folder(info.dataset_id)
    (found,) = verify_others(world.root)
    assert "damaged" in found.problem
