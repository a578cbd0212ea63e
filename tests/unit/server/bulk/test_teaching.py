"""Labeled pictures that workers encoded are taught as one change, and once, however often the run is repeated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from haleganada_server.bulk.items import Item
from haleganada_server.bulk.state import open_state
from haleganada_server.bulk.teaching import Lessons, label_items, require_teachable, teach_rows
from haleganada_server.core.errors import InvalidInput, NotFound, Precondition
from haleganada_server.core.folder_names import FolderNames

from tests.e2e.pictures import LINES, picture
from tests.unit.server.bulk.conftest import encode


def test_labels_come_from_folders() -> None:
    paths = ["/x/ಅ/1.png", "/x/U+0C85_0CC6/2.png", "/x/65/3.png", "/x/999/4.png"]
    items = [Item(path, path) for path in paths]
    items += [Item("z/a/5.png", "/z.zip", "a/5.png"), Item("z/6.png", "/z.zip", "6.png")]
    said: list[str] = []
    labeled = label_items(items, FolderNames.AUTO, said.append)
    assert [item.label for item in labeled] == ["ಅ", "\u0c85\u0cc6", "A", "a", ""]
    assert "named after its label" in labeled[-1].problem
    assert any("999" in sentence for sentence in said) and any("“A”" in sentence for sentence in said)
    with pytest.raises(InvalidInput, match="class numbers"):
        label_items([Item("10/1.png", "/10/1.png")], FolderNames.AUTO, said.append)


def test_pictures_are_taught_once_and_are_recognized(taught: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(taught, data)
    for label in ("cross", "star"):
        (tmp_path / "labeled" / label).mkdir(parents=True)
    (tmp_path / "labeled/star/1.png").write_bytes(picture([*LINES["cross"], *LINES["plus"]]))
    (tmp_path / "labeled/cross/1.png").write_bytes(picture(LINES["cross"], 3))
    (tmp_path / "labeled/cross/2.png").write_bytes(b"no picture")
    rows = encode(tmp_path / "labeled", tmp_path / "home")
    assert [(row["label"], row["error"] is None) for row in rows] == [("cross", True), ("cross", False), ("star", True)]
    lessons = Lessons(data=data, workspace="default")
    assert teach_rows(lessons, rows)["taught"] == 2
    again = teach_rows(lessons, rows)
    assert (again["taught"], again["known"]) == (0, 2)
    with open_state(data) as recognizers, recognizers.workspaces.use() as workspace:
        assert workspace.log.count("star") == 1 and workspace.log.count("cross") == 3
        assert [kept.kind.value for kept in recognizers.workspaces.snapshots()][:1] == ["before-import"]


def test_a_server_that_uses_the_data_is_in_the_way(taught: Path) -> None:
    with open_state(taught), pytest.raises(Precondition, match="another server"):
        require_teachable(Lessons(data=taught, workspace="default"))


def test_a_workspace_that_is_not_there_is_told_before_the_work(taught: Path) -> None:
    require_teachable(Lessons(data=taught, workspace="default"))
    with pytest.raises(NotFound, match="default"):
        require_teachable(Lessons(data=taught, workspace="defautl"))
