"""A data directory with what was taught, and pictures to work on."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from haleganada_server.app import open_recognizers
from haleganada_server.bulk.items import ItemList
from haleganada_server.bulk.state import Source, copy_state, pack
from haleganada_server.bulk.teaching import label_items
from haleganada_server.bulk.worker import BlockWorker, Task
from haleganada_server.config import ServerConfig
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.workspaces.types import Lesson

from tests.e2e.pictures import LINES, picture


def teach_lines(data: Path, workspace: str = "default") -> None:
    """Teach two drawings of each character in a workspace, which is made if need be."""
    recognizers = open_recognizers(ServerConfig(data, device="cpu"))
    if workspace not in recognizers.workspaces.names():
        recognizers.workspaces.create(workspace)
    with recognizers.workspaces.use(workspace) as opened:
        for label, lines in LINES.items():
            for shift in (0, 8):
                opened.train(Lesson(Glyph(image=picture(lines, shift)), label))
    recognizers.close()


def write_pictures(folder: Path, count: int, bad: tuple[int, ...] = ()) -> list[str]:
    """Write numbered pictures, crosses and pluses in turns, and return their labels. bad: those that are none."""
    folder.mkdir()
    names = list(LINES)
    labels = [names[number % len(names)] for number in range(count)]
    for number, label in enumerate(labels):
        content = b"no picture" if number in bad else picture(LINES[label], number % 12)
        (folder / f"{number:04}.png").write_bytes(content)
    return labels


def encode(folder: Path, home: Path) -> list[dict[str, Any]]:
    """Return the rows that a worker makes of a folder of label folders."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed; make test installs it")
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


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in whose workspace “default” two characters were taught. Do not change it."""
    data = tmp_path_factory.mktemp("bulk") / "data"
    teach_lines(data)
    return data
