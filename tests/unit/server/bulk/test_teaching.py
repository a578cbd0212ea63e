"""Labeled pictures that workers encoded are taught as one change, and once, however often the run is repeated."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from haleganada_server.bulk.items import Item, ItemList
from haleganada_server.bulk.state import Source, copy_state, open_state, pack
from haleganada_server.bulk.teaching import Lessons, label_items, require_unused, teach_rows
from haleganada_server.bulk.worker import BlockWorker, Task
from haleganada_server.core.errors import InvalidInput, Precondition
from haleganada_server.core.folder_names import FolderNames

from tests.e2e.pictures import LINES, picture

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed; make test installs it")


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


def encode(folder: Path, home: Path) -> list[dict[str, Any]]:
    """Return the rows that a worker makes of a folder of label folders."""
    home.mkdir()
    facts = copy_state(Source(), home / "state", home)
    worker = BlockWorker(Task(kind="teach", settings={}, facts=facts, packed=[0], scratch=str(home)),
                         lambda _: pack(home / "state"))  # fmt: skip
    found = ItemList([".png"])
    found.add(str(folder))
    items = label_items(found.items, FolderNames.AUTO, print)
    answer = worker({"number": [0], "items": [json.dumps([item.to_json() for item in items])]})
    worker.close()
    rows: list[dict[str, Any]] = parquet.read_table(io.BytesIO(answer["data"][0])).to_pylist()
    return rows


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
        require_unused(taught)
