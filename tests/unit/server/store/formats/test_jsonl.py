"""JSON lines: an export can be imported, and a bad line is refused alone."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.workspaces.types import RefusedItem, TransferFormat
from haleganada_server.store import DataDirectory
from haleganada_server.store.formats import items
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.server.store.formats.conftest import Read
from tests.unit.server.store.formats.reading import require_items, require_refusal
from tests.unit.server.store.rows import ink, png

Export = Callable[[TransferFormat], Path]
INK = {"width": 100, "height": 100, "strokes": [{"x": [1, 2], "y": [3, 4]}]}


def test_one_object_for_each_sample(export: Export) -> None:
    lines = [json.loads(line) for line in export(TransferFormat.JSONL).read_text(encoding="utf-8").splitlines()]
    assert [(line["sample_id"], line["label"]) for line in lines] == [(1, "ಕ"), (2, "ಕ್"), (3, "../<b>"), (4, "ಕ")]
    assert [line.get("variant_of") for line in lines] == [None, "ಕ", None, None]
    assert lines[0]["ink"]["strokes"] == [{"x": list(ink(1).strokes[0].x), "y": list(ink(1).strokes[0].y)}]
    assert base64.b64decode(lines[1]["image"]) == png(2)


def test_an_export_can_be_imported(export: Export, read: Read) -> None:
    found = require_items(read(export(TransferFormat.JSONL)))
    assert [(item.label, item.canonical) for item in found][:2] == [("ಕ", ""), ("ಕ್", "ಕ")]
    assert [item.glyph for item in found][:2] == [Glyph(ink=ink(1)), Glyph(image=png(2))]
    assert len({item.key for item in found}) == 4
    assert all(item.embedding is None and item.loss is None for item in found)


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf", b"\n\n"], ids=["plain", "byte order mark", "empty lines"])
def test_files_of_other_programs(read: Read, tmp_path: Path, prefix: bytes) -> None:
    path = tmp_path / "any.jsonl"
    path.write_bytes(prefix + json.dumps({"label": "a", "ink": INK}).encode() + b"\r\n\r\n")
    (item,) = require_items(read(path))
    assert item.label == "a" and item.time_us == 0 and item.glyph.ink is not None


PLAIN = base64.b64encode(png(2)).decode()
BASE64 = {
    "plain": PLAIN,
    "line breaks": "\r\n".join(PLAIN[i : i + 76] for i in range(0, len(PLAIN), 76)),
    "spaces": f" {PLAIN} ",
    "no padding": PLAIN.rstrip("="),
    "URL-safe": base64.urlsafe_b64encode(png(2)).decode(),
    "data URL": f"data:image/png;base64,{PLAIN}",
    "a data URL in capitals": f"DATA:image/png;BASE64, {PLAIN}",
    "an escaped data URL": f"data:image/png;base64,{PLAIN}".replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
}


@pytest.mark.parametrize("image", BASE64.values(), ids=BASE64.keys())
def test_every_spelling_of_base64(read: Read, tmp_path: Path, image: str) -> None:
    path = tmp_path / "any.jsonl"
    path.write_text(json.dumps({"label": "a", "image": image}))
    (item,) = require_items(read(path))
    assert item.glyph == Glyph(image=png(2))


def test_text_that_is_not_utf8_is_named_as_that(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "any.jsonl"
    path.write_bytes(json.dumps({"label": "é", "ink": INK}, ensure_ascii=False).encode("latin-1"))
    (item,) = read(path)
    assert isinstance(item, RefusedItem) and "is not UTF-8" in str(item.error)
    path.write_text(json.dumps({"label": "é", "ink": INK}), encoding="utf-16")
    with pytest.raises(InvalidInput, match="UTF-16; save it as UTF-8"):
        list(read(path))


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"{", "file"),
        (b'["label"]', "file"),
        (b"\xff\xfe\x00", "file"),
        (b"[" * 100_000, "file"),
        (b'{"ink": {}}', "label"),
        (b'{"label": "a"}', "image"),
        (b'{"label": "a", "image": "?"}', "image"),
        (b'{"label": "a", "image": 5}', "image"),
        (b'{"label": "a", "ink": []}', "ink"),
        (b'{"label": "a", "ink": {"width": 1, "height": 1, "strokes": [{"x": "text"}]}}', "ink"),
        (b'{"label": "a", "ink": {"width": 1, "height": 1, "strokes": 5}}', "ink"),
        (b'{"label": "a", "ink": {"width": [], "height": 1, "strokes": []}}', "ink"),
        (b'{"label": "a", "variant_of": 1, "image": ""}', "variant_of"),
        (b'{"label": "a", "image": "", "time_us": 1e400}', "time_us"),
    ],
)
def test_a_bad_line_is_refused_alone(read: Read, tmp_path: Path, line: bytes, field: str) -> None:
    path = tmp_path / "bad.jsonl"
    whole = json.dumps({"label": "a", "ink": INK}).encode()
    path.write_bytes(b"\n".join((whole, line, whole)))
    found = read(path)
    assert require_refusal(found[1:2]) == ("line 2", field)
    assert len(require_items([found[0], found[2]])) == 2


def test_a_line_that_never_ends_is_one_refusal(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "MAX_LINE_BYTES", 1000)
    path = tmp_path / "long.jsonl"
    whole = json.dumps({"label": "a", "ink": INK}).encode()
    path.write_bytes(b"\n".join((whole, b'{"label": "' + b"x" * 5000 + b'"}', whole)))
    found = read(path)
    assert require_refusal(found[1:2])[0] == "line 2" and len(found) == 3


@pytest.mark.parametrize("part", [b"[],", b"{},", b"0.5,"])
def test_a_line_of_millions_of_parts_is_refused_before_it_is_parsed(read: Read, tmp_path: Path, part: bytes) -> None:
    """Parsed, it would take hundreds of megabytes."""
    path = tmp_path / "parts.jsonl"
    before = part * (8 * 2**20 // len(part))
    path.write_bytes(b'{"label": "a", "ink": {"width": 1, "height": 1, "strokes": [{"x": [' + before + b"0]}]}}\n")
    tracemalloc.start()
    try:
        found = read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert require_refusal(found) == ("line 1", "file")
    assert peak < 40 * 2**20


def test_the_most_strokes_and_points_that_are_allowed_are_read(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "most.jsonl"
    stroke = {name: [0.5] * 100 for name in ("x", "y", "t", "pressure")}
    path.write_text(json.dumps({"label": "a", "ink": {**INK, "strokes": [stroke] * 1000}}))
    (item,) = require_items(read(path))
    assert item.glyph.ink is not None and item.glyph.ink.points == 100_000
    assert item.glyph.memory_bytes > 2**20


def test_a_refused_item_does_not_keep_its_line(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"label": 5}\n')
    (item,) = read(path)
    assert isinstance(item, RefusedItem) and item.error.__traceback__ is None


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n", b"[]", b"\0" * 100])
def test_a_file_of_an_unknown_format(directory: DataDirectory, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="neither"):
        directory.read_import(path, None)


@given(st.text(max_size=20), st.binary(max_size=20), st.integers(0, 2**60))
def test_the_key_of_an_item_depends_on_its_content_only(label: str, drawing: bytes, time_us: int) -> None:
    key = items.item_key(label, drawing, time_us)
    assert key == items.item_key(label, drawing, time_us)
    assert (
        len({key, items.item_key(label + "x", drawing, time_us), items.item_key(label, drawing + b"x", time_us)}) == 3
    )
    assert key != items.item_key(label, drawing, time_us + 1)
