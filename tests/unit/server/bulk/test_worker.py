"""A worker makes the rows that a server would: of the same code, from a copy of what was taught."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from haleganada_server.bulk.items import ItemList
from haleganada_server.bulk.state import Source, copy_state, open_state, pack
from haleganada_server.bulk.worker import BlockWorker, Task
from haleganada_server.core.errors import NotFound
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.outcomes import raise_if_error
from haleganada_server.core.workspaces.types import TransferFormat

from tests.unit.server.bulk.conftest import write_pictures

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed; make test installs it")

SETTINGS = {"top_k": 2, "script_labels": 2}


def make_rows(kind: str, settings: dict[str, Any], source: Source, folder: Path, home: Path) -> list[dict[str, Any]]:
    """Return the rows of a folder's pictures. home: a new folder for what a run needs."""
    home.mkdir()
    facts = copy_state(source, home / "state", home)
    task = Task(kind=kind, settings=settings, facts=facts, packed=[0], name="one", scratch=str(home))
    worker = BlockWorker(task, lambda _: pack(home / "state"))
    found = ItemList([".png"])
    found.add(str(folder))
    lines = json.dumps([item.to_json() for item in found.items])
    answer = worker({"number": [0], "items": [lines]})
    assert answer["failure"] == [""]
    rows: list[dict[str, Any]] = parquet.read_table(io.BytesIO(answer["data"][0])).to_pylist()
    assert answer["rows"] == [len(rows)] and answer["bad"] == [sum(row["error"] is not None for row in rows)]
    worker.close()
    return rows


def test_predictions_are_those_of_a_server(taught: Path, tmp_path: Path) -> None:
    labels = write_pictures(tmp_path / "pictures", 8, bad=(3,))
    rows = make_rows("predict", SETTINGS, Source(data=taught), tmp_path / "pictures", tmp_path / "home")
    assert [row["label"] for row in rows] == [None if i == 3 else label for i, label in enumerate(labels)]
    assert rows[3]["reason"] == "INVALID_INPUT" and "image" in rows[3]["error"] and rows[3]["candidates"] is None
    with open_state(tmp_path / "home/state") as recognizers, recognizers.workspaces.use() as workspace:
        revision = workspace.knowledge.revision
        glyph = Glyph(image=(tmp_path / "pictures/0000.png").read_bytes())
        expected = workspace.predict(glyph, 2, revision, script_labels=2)
        unasked = workspace.predict(glyph, 2, revision)
    best = expected.candidates[0]
    assert rows[0]["probability"] == best.probability and rows[0]["revision"] == revision == 4
    assert rows[0]["decision"] == expected.decision.value and len(rows[0]["candidates"]) == 2
    assert rows[0]["unknown_probability"] == expected.unknown_probability < unasked.unknown_probability


def test_embeddings_are_those_of_the_encoder(taught: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 3)
    rows = make_rows("embed", {}, Source(), tmp_path / "pictures", tmp_path / "home")
    with open_state(tmp_path / "home/state") as recognizers:
        glyph = Glyph(image=(tmp_path / "pictures/0001.png").read_bytes())
        drawing = raise_if_error(recognizers.encoder.encode_many([glyph])[0])
        assert rows[1]["embedding"] == drawing.embedding.tolist()
        assert rows[1]["embedder"] == recognizers.encoder.embedder_hash


def test_an_archive_and_a_snapshot_recognize_alike(taught: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 4)
    facts = copy_state(Source(data=taught), tmp_path / "copy", tmp_path)
    with open_state(tmp_path / "copy") as recognizers, recognizers.workspaces.use() as workspace:
        exported = workspace.export(TransferFormat.ARCHIVE)
        exported.path.replace(tmp_path / "archive.zip")
        kept = workspace.save("kept")
        workspace.undo()
    sources = [
        Source(archive=tmp_path / "archive.zip"),
        Source(data=tmp_path / "copy", snapshot=kept.snapshot_id),
        Source(data=taught),
    ]
    found = [
        make_rows("predict", SETTINGS, source, tmp_path / "pictures", tmp_path / f"home{number}")
        for number, source in enumerate(sources)
    ]
    assert facts["samples"] == 4 and found[0] == found[1] == found[2]


def test_a_workspace_that_does_not_exist_is_named(taught: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere.*has: default"):
        copy_state(Source(data=taught, workspace="nowhere"), tmp_path / "state", tmp_path)


def test_a_server_may_use_the_data_meanwhile(taught: Path, tmp_path: Path) -> None:
    with open_state(taught):
        assert copy_state(Source(data=taught), tmp_path / "state", tmp_path)["samples"] == 4
