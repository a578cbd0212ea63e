"""Files and folders that appear whole, and replace nothing by accident."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from haleganada_client.cli.files.new_files import publish, publish_folder, temporary_neighbor, write_whole


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def put(target: Path, content: bytes, overwrite: bool = False) -> None:
    with temporary_neighbor(target) as temporary:
        write_whole(temporary, content)
        publish(temporary, target, overwrite)


def test_a_file_appears_and_nothing_else_stays(tmp_path: Path) -> None:
    put(tmp_path / "new" / "a.txt", b"text")
    assert files_in(tmp_path / "new") == {"a.txt": b"text"}


def test_a_file_is_replaced_only_where_that_was_asked_for(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", b"old")
    with pytest.raises(FileExistsError):
        put(tmp_path / "a.txt", b"new")
    assert files_in(tmp_path) == {"a.txt": b"old"}
    put(tmp_path / "a.txt", b"new", overwrite=True)
    assert files_in(tmp_path) == {"a.txt": b"new"}


def test_file_systems_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    put(tmp_path / "a.txt", b"old")
    with pytest.raises(FileExistsError):
        put(tmp_path / "a.txt", b"new")
    assert files_in(tmp_path) == {"a.txt": b"old"}


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), temporary_neighbor(tmp_path / "a") as temporary:
        write_whole(temporary, b"half")
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), temporary_neighbor(tmp_path / "b") as temporary:
        temporary.mkdir()
        (temporary / "c").write_bytes(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_folder_takes_the_place_of_an_empty_one_only(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full" / "file").mkdir(parents=True)
    for name in ("empty", "new"):
        with temporary_neighbor(tmp_path / name) as temporary:
            temporary.mkdir()
            (temporary / "inside").write_bytes(b"")
            publish_folder(temporary, tmp_path / name)
        assert (tmp_path / name / "inside").exists()
    with pytest.raises(OSError), temporary_neighbor(tmp_path / "full") as temporary:
        temporary.mkdir()
        publish_folder(temporary, tmp_path / "full")
    assert (tmp_path / "full" / "file").exists()
