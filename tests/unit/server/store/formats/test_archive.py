"""The archive: an import gives exactly what was exported; a changed file is refused."""

from __future__ import annotations

import base64
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.workspaces.snapshots.schedule import Schedule
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog

from tests.unit.server.core.workspaces.small_world import assert_same_posteriors, lesson, open_workspaces, posteriors
from tests.unit.server.store.formats.conftest import Read
from tests.unit.server.store.formats.reading import require_items, require_refusal
from tests.unit.server.store.rows import DIM, HASH, ink, sample

Export = Callable[[TransferFormat], Path]


def test_everything_is_imported_unchanged(export: Export, read: Read, taught: SqliteLog) -> None:
    rows = list(taught.all_samples())
    items = require_items(read(export(TransferFormat.ARCHIVE)))
    assert [item.label for item in items] == ["ಕ", "ಕ್", "../<b>", "ಕ"]
    assert [item.canonical for item in items] == ["", "ಕ", "", ""]
    assert items[0].glyph == Glyph(ink=ink(1)) and items[1].glyph == Glyph(image=rows[1].glyph)
    for item, row in zip(items, rows, strict=True):
        assert item.stored_glyph == (row.glyph_kind, row.glyph)
        assert item.embedding is not None and item.embedder_hash == HASH
        np.testing.assert_array_equal(item.embedding, row.embedding)
        assert (item.time_us, item.loss, item.predicted) == (row.time_us, row.loss, row.predicted)
        assert (item.new_label, item.correction) == (row.new_label, row.correction)
    assert len({item.key for item in items}) == 4


def test_another_server_predicts_identically(tmp_path: Path) -> None:
    here = open_workspaces(tmp_path / "here")
    there = open_workspaces(tmp_path / "there", schedule=Schedule(first_changes=100))
    for character in range(4):
        for hand in range(3):
            here.get().train(lesson(character, hand))
    here.get().link("L1", "L0")
    here.get().forget(5)
    exported = here.get().export(TransferFormat.ARCHIVE)
    imported = there.get().import_file(exported.path)
    assert (imported.imported, imported.duplicates, imported.refused) == (11, 0, ())
    assert_same_posteriors(posteriors(there.get()), posteriors(here.get()))
    assert there.get().knowledge.variants == here.get().knowledge.variants
    again = there.get().import_file(exported.path)
    assert (again.imported, again.duplicates, again.before) == (0, 11, None)
    assert there.snapshots() == []
    there.get().forget(1)
    restored = there.get().import_file(exported.path)
    assert restored.imported == 1 and there.snapshots() == [restored.before]
    here.close()
    there.close()


def test_embeddings_of_another_dimension_are_left_out(export: Export, read: Read, taught: SqliteLog) -> None:
    """During re-embedding with another dimension, an import embeds the smaller group itself."""
    with taught.transaction() as transaction:
        transaction.set_embedding(2, np.ones(DIM + 1, dtype=np.float32), "f" * 64)
    items = require_items(read(export(TransferFormat.ARCHIVE)))
    assert [item.embedder_hash for item in items] == [HASH, "", HASH, HASH]
    for item, row in zip(items, taught.all_samples(), strict=True):
        if item.embedder_hash:
            assert item.embedding is not None
            np.testing.assert_array_equal(item.embedding, row.embedding)


def test_equal_workspaces_give_equal_files(export: Export) -> None:
    assert export(TransferFormat.ARCHIVE).read_bytes() == export(TransferFormat.ARCHIVE).read_bytes()


def test_an_export_shows_one_moment(directory: DataDirectory, taught: SqliteLog, read: Read) -> None:
    """A commit in progress is missing in the samples, the links and the manifest alike."""
    with taught.transaction() as transaction:
        transaction.set_canonical("../<b>", "ಕ")
        transaction.set_forgotten(1, True)
        exported = directory.export(taught, TransferFormat.ARCHIVE)
    assert exported.samples_total == 4
    assert [item.canonical for item in require_items(read(exported.path))] == ["", "ಕ", "", ""]
    exported.close()
    assert not exported.path.exists()


def test_an_empty_workspace_gives_an_empty_archive(directory: DataDirectory, log: SqliteLog, read: Read) -> None:
    exported = directory.export(log, TransferFormat.ARCHIVE)
    assert exported.samples_total == 0 and read(exported.path) == []


def line_of(path: Path, number: int = 0) -> dict[str, Any]:
    with zipfile.ZipFile(path) as file:
        line: dict[str, Any] = json.loads(file.read("samples.jsonl").splitlines()[number])
    return line


def forge(path: Path, lines: list[Any], vectors: bytes | None = None, **manifest: Any) -> None:
    """Write an archive with the given content and correct checksums."""
    samples = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    vectors = bytes(4 * DIM * len(lines)) if vectors is None else vectors
    hashes = {"samples.jsonl": sha256(samples).hexdigest(), "embeddings.f32": sha256(vectors).hexdigest()}
    facts = {"format": 1, "samples": len(lines), "dim": DIM, "revision": 1, "links": {}, "sha256": hashes, **manifest}
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("manifest.json", json.dumps(facts))
        file.writestr("samples.jsonl", samples)
        file.writestr("embeddings.f32", vectors)


DEEP = base64.b64encode(zlib.compress(b"[" * 100_000)).decode()
BAD_FACTS: list[tuple[dict[str, Any], str]] = [
    ({"label": 5}, "label"),
    ({"label": None}, "label"),
    ({"canonical": ["x"]}, "canonical"),
    ({"glyph": "not base64!"}, "glyph"),
    ({"glyph": ""}, "glyph"),
    ({"glyph": base64.b64encode(b"\x89PNG garbage").decode(), "glyph_kind": "png"}, "glyph"),
    ({"glyph": base64.b64encode(zlib.compress(b"{}")).decode()}, "glyph"),
    ({"glyph": DEEP}, "glyph"),
    ({"glyph_kind": "svg"}, "glyph"),
    ({"glyph_kind": 1}, "glyph_kind"),
    ({"time_us": 10**30}, "time_us"),
    ({"time_us": -1}, "time_us"),
    ({"time_us": "now"}, "time_us"),
    ({"loss": float("nan")}, "loss"),
    ({"loss": float("inf")}, "loss"),
    ({"loss": -1}, "loss"),
    ({"loss": None}, "loss"),
]


@pytest.mark.parametrize(("facts", "field"), BAD_FACTS, ids=[str(facts)[:40] for facts, _ in BAD_FACTS])
def test_a_forged_sample_is_refused_alone(
    export: Export, read: Read, tmp_path: Path, facts: dict[str, Any], field: str
) -> None:
    whole = line_of(export(TransferFormat.ARCHIVE))
    forge(tmp_path / "forged.zip", [{**whole, **facts}, whole])
    found = read(tmp_path / "forged.zip")
    assert require_refusal(found[:1]) == ("line 1", field)
    assert require_items(found[1:])[0].label == "ಕ"


@pytest.mark.parametrize("line", [[], 5, "text", None, {}])
def test_a_line_that_is_not_a_sample_is_refused(read: Read, tmp_path: Path, line: Any) -> None:
    forge(tmp_path / "forged.zip", [line])
    assert require_refusal(read(tmp_path / "forged.zip"))[0] == "line 1"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_vector_that_would_poison_every_probability_is_refused(
    export: Export, read: Read, tmp_path: Path, number: float
) -> None:
    vectors = struct.pack(f"<{DIM}f", *[number] * DIM)
    forge(tmp_path / "forged.zip", [line_of(export(TransferFormat.ARCHIVE))], vectors)
    assert require_refusal(read(tmp_path / "forged.zip")) == ("line 1", "embedding")


def test_an_invalid_predicted_label_is_dropped(export: Export, read: Read, tmp_path: Path) -> None:
    whole = line_of(export(TransferFormat.ARCHIVE))
    forge(tmp_path / "forged.zip", [{**whole, "predicted": bad} for bad in ("\n", "x" * 1000, "ಆ")])
    assert [item.predicted for item in require_items(read(tmp_path / "forged.zip"))] == ["", "", "ಆ"]


@pytest.mark.parametrize(
    "manifest",
    [
        {"format": 2},
        {"format": None},
        {"samples": 2},
        {"samples": -1},
        {"samples": 10**12},
        {"dim": 0},
        {"dim": 10**9},
        {"dim": 1.5},
        {"sha256": {}},
        {"sha256": "x"},
        {"sha256": {"samples.jsonl": "0" * 64, "embeddings.f32": "0" * 64}},
    ],
    ids=str,
)
def test_an_archive_that_contradicts_its_manifest_is_refused(
    export: Export, read: Read, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    forge(tmp_path / "forged.zip", [line_of(export(TransferFormat.ARCHIVE))], **manifest)
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path / "forged.zip")
    assert refused.value.field == "file"


def test_an_archive_without_its_parts_is_refused(read: Read, tmp_path: Path) -> None:
    for missing in ("samples.jsonl", "embeddings.f32"):
        forge(tmp_path / "whole.zip", [])
        with zipfile.ZipFile(tmp_path / "whole.zip") as whole, zipfile.ZipFile(tmp_path / "part.zip", "w") as part:
            for name in whole.namelist():
                if name != missing:
                    part.writestr(name, whole.read(name))
        with pytest.raises(InvalidInput, match=missing):
            read(tmp_path / "part.zip")


def test_any_flipped_byte_is_noticed_before_anything_is_taught(export: Export, directory: DataDirectory) -> None:
    """Unless it changes something that is not read, such as a date."""
    content = export(TransferFormat.ARCHIVE).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flipped.zip"
        path.write_bytes(content)
        whole = [item.key for item in require_items(directory.read_import(path, TransferFormat.ARCHIVE))]
        for place in range(0, len(content), 23):
            flipped = bytearray(content)
            flipped[place] ^= 0x10
            path.write_bytes(flipped)
            try:
                found = require_items(directory.read_import(path, TransferFormat.ARCHIVE))
            except InvalidInput:
                continue
            assert [item.key for item in found] == whole


def test_items_keep_their_keys(export: Export, read: Read) -> None:
    """An item's key does not depend on the workspace from which it is exported."""
    first, second = (require_items(read(export(TransferFormat.ARCHIVE))) for _ in range(2))
    assert [item.key for item in first] == [item.key for item in second]
    assert sample(1).glyph == (first[0].stored_glyph or ("", b""))[1]
