"""A folder as one file: all of it, nothing hidden, and the same bytes every time."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from haleganada_client import InvalidInput
from haleganada_client.wire.packing import hash_file, list_links, open_packed


def folder(root: Path) -> Path:
    for name in ("train/ಅ/2.png", "train/ಅ/1.png", "b/1.png", ".git/x", "train/.hidden"):
        path = root / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root / "set" / "link.png").symlink_to(root / "set" / "b" / "1.png")
    return root / "set"


def test_what_is_in_it(tmp_path: Path) -> None:
    with open_packed(folder(tmp_path)) as file, zipfile.ZipFile(file) as made:
        assert made.namelist() == ["b/1.png", "train/ಅ/1.png", "train/ಅ/2.png"]
        assert made.read("train/ಅ/1.png").decode() == "train/ಅ/1.png"


def test_links_are_left_out_and_named(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "train/ಆ").symlink_to(root / "b")
    (root / "train/round").symlink_to(root)
    (root / "train/ಅ/lost.png").symlink_to(tmp_path / "nowhere")
    (root / ".link").symlink_to(root / "b")
    assert list_links(root) == ["link.png", "train/round", "train/ಅ/lost.png", "train/ಆ"]
    with open_packed(root) as file, zipfile.ZipFile(file) as made:
        assert made.namelist() == ["b/1.png", "train/ಅ/1.png", "train/ಅ/2.png"]


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    root = folder(tmp_path)
    with open_packed(root) as file:
        before = hash_file(file)
    for path in root.rglob("*"):
        os.utime(path, (1e9, 1e9), follow_symlinks=False)
    with open_packed(root) as file:
        assert hash_file(file) == before and file.read(2) == b"PK"


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")).write_bytes(b"x")
    with pytest.raises(InvalidInput, match="rename the file"), open_packed(tmp_path):
        pass


def test_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"content")
    with open_packed(tmp_path / "a.npz") as file:
        assert file.read() == b"content"
        assert hash_file(file) == hash_file(io.BytesIO(b"content"))
