"""Items are found in folders, zip files and by patterns, each once, and are read again by what the list keeps."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest
from haleganada_server.bulk.items import Item, ItemFiles, ItemList
from haleganada_server.core.errors import InvalidInput


def list_items(*names: str | Path) -> list[Item]:
    found = ItemList([".png", ".jpg"])
    for name in names:
        found.add(str(name))
    return found.items


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, a text, hidden files, and a zip file with two pictures and a text."""
    home = tmp_path / "scans"
    (home / "inner").mkdir(parents=True)
    for name in ("b.png", "inner/a.JPG", "notes.txt", ".hidden.png", "Thumbs.db"):
        (home / name).write_bytes(name.encode())
    with zipfile.ZipFile(home / "more.zip", "w") as zipped:
        for name in ("x/1.png", "2.png", "read me.txt", "__MACOSX/1.png"):
            zipped.writestr(name, name.encode())
    return home


def test_a_folder_has_its_pictures_and_those_of_its_zip_files(folder: Path) -> None:
    found = ItemList([".png", ".jpg"])
    found.add(str(folder))
    names = [item.name.removeprefix(f"{folder}/") for item in found.items]
    assert names == ["b.png", "inner/a.JPG", "more.zip/x/1.png", "more.zip/2.png"]
    assert found.others == 2, "the two texts"


def test_what_several_names_stand_for_is_listed_once(folder: Path) -> None:
    named = list_items(folder / "b.png", folder / "*.png", folder, folder / "more.zip")
    assert [Path(item.name).name for item in named] == ["b.png", "a.JPG", "1.png", "2.png"]


def test_each_item_is_read_by_its_line(folder: Path) -> None:
    files = ItemFiles()
    items = [Item.from_json(item.to_json()) for item in list_items(folder)]
    assert [files.read(item, 100) for item in items] == [b"b.png", b"inner/a.JPG", b"x/1.png", b"2.png"]
    files.close()


def test_relative_names_are_read_from_anywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (item,) = list_items("b.png")
    monkeypatch.chdir("/")
    assert (item.name, ItemFiles().read(item, 100)) == ("b.png", b"b.png")


def test_what_cannot_be_read_says_why(folder: Path) -> None:
    (folder / "broken.zip").write_bytes(b"no zip")
    missing, broken, large = list_items(folder / "gone.png", folder / "broken.zip", folder / "b.png")
    files = ItemFiles()
    for item, limit, reason in [
        (missing, 9, "cannot be read"),
        (broken, 9, "is not a zip file"),
        (large, 4, "over 4 "),
    ]:
        with pytest.raises(InvalidInput, match=reason):
            files.read(item, limit)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_utf8_is_kept(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(path)).write_bytes(b"picture")
    (item,) = list_items(tmp_path)
    assert ItemFiles().read(Item.from_json(item.to_json()), 100) == b"picture"
