"""Which documents a command line names, and what the results are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from haleganada_client.cli.files.documents import DOCUMENT_SUFFIXES, find_documents
from hypothesis import given
from hypothesis import strategies as st


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def list_names(*names: str | Path) -> list[tuple[str, str]]:
    return [
        (document.path.name, document.stem.as_posix()) for document in find_documents([str(name) for name in names])
    ]


def test_folders_are_searched_for_images_and_pdfs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path, "b.PDF", "a.jpeg", "deep/er/c.tiff", "notes.txt", ".hidden.png", ".git/d.png", "deep/list.csv")
    assert list_names(tmp_path) == [("a.jpeg", "a"), ("b.PDF", "b"), ("c.tiff", "deep/er/c")]
    assert capsys.readouterr().err == "2 files skipped: neither images nor PDFs\n"


def test_pages_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    make(tmp_path, "page10.png", "page2.png", "page1.png", "2/a.png", "10/a.png")
    assert [stem for _, stem in list_names(tmp_path)] == ["2/a", "10/a", "page1", "page2", "page10"]


def test_results_of_an_earlier_command_are_not_read_again(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "out/a.pdf", "out/deep/b.pdf")
    documents = find_documents([str(tmp_path)], tmp_path / "out")
    assert [document.path.name for document in documents] == ["a.png"]
    assert len(find_documents([str(tmp_path / "out")], tmp_path / "out")) == 2


def test_a_file_that_is_named_is_read_whatever_its_ending(tmp_path: Path) -> None:
    make(tmp_path, "scan.dat", ".hidden.png")
    assert list_names(tmp_path / "scan.dat", tmp_path / ".hidden.png") == [
        ("scan.dat", "scan"),
        (".hidden.png", ".hidden"),
    ]


def test_patterns_name_files_and_folders(tmp_path: Path) -> None:
    make(tmp_path, "1.png", "2.png", "two/3.png", "4.jpg", "[5].png")
    assert list_names(tmp_path / "*.png") == [("1.png", "1"), ("2.png", "2"), ("[5].png", "[5]")]
    assert list_names(tmp_path / "t*") == [("3.png", "3")]
    assert list_names(tmp_path / "[5].png") == [("[5].png", "[5]")]  # a name before a pattern


def test_what_is_not_there_fails_later_and_alone(tmp_path: Path) -> None:
    make(tmp_path, "1.png")
    for missing in ("none.png", "none-*.png", "**none"):
        assert [name for name, _ in list_names(tmp_path / missing, tmp_path / "1.png")] == [missing, "1.png"]


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    make(tmp_path, "1.png", "2.png")
    assert list_names(tmp_path / "2.png", tmp_path, tmp_path / "2.png") == [("2.png", "2"), ("1.png", "1")]


def test_standard_input_has_a_name_of_its_own() -> None:
    [document] = find_documents(["-"])
    assert (document.shown, document.stem) == ("standard input", Path("stdin"))


def test_results_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    make(tmp_path, "a/page.png", "b/page.png", "b/page.jpg", "b/Page.gif", "b/other.png")
    names = dict(
        zip(["ap", "bp", "bj", "bg", "bo"], (stem for _, stem in list_names(*tmp_path.glob("[ab]/*"))), strict=True)
    )
    assert len({name.casefold() for name in names.values()}) == 5
    assert "other" in names.values()
    assert [stem for _, stem in list_names(tmp_path)][:1] == ["a/page"]


NAMES = st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1, max_size=120)


@given(st.lists(st.builds(str.__add__, NAMES, st.sampled_from(DOCUMENT_SUFFIXES)), min_size=1, max_size=8, unique=True))
def test_names_of_results_are_safe_and_distinct(names: list[str]) -> None:
    stems = [document.stem for document in find_documents(names)]
    assert len({str(stem).casefold() for stem in stems}) == len(stems)
    for stem in stems:
        assert not stem.is_absolute() and ".." not in stem.parts and len(stem.parts) == 1
        assert len(stem.name.encode()) <= 210 and all(
            char.isprintable() or char in "\u200c\u200d" for char in stem.name
        )
