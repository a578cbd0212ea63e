"""Zip files written without a list of their members, read by zipfile."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from haleganada_server.core.disk import zip_writer
from haleganada_server.core.disk.zip_writer import ZipWriter


def write(path: Path, members: dict[str, bytes], texts: dict[str, bytes]) -> zipfile.ZipFile:
    with ZipWriter(path) as archive:
        for name, data in members.items():
            archive.add(name, data)
        for name, data in texts.items():
            archive.add_text(name, io.BytesIO(data))
    assert [file for file in path.parent.iterdir() if file != path] == []
    read = zipfile.ZipFile(path)
    assert read.testzip() is None
    assert {name: read.read(name) for name in read.namelist()} == members | texts
    return read


def test_members_come_back(tmp_path: Path) -> None:
    text = "ಕನ್ನಡ\n".encode() * 300_000
    with write(tmp_path / "x.zip", {"a/ಅ.png": b"\x89PNG", "empty": b""}, {"b.txt": text}) as archive:
        kinds = {info.filename: info.compress_type for info in archive.infolist()}
        assert kinds == {"a/ಅ.png": zipfile.ZIP_STORED, "empty": zipfile.ZIP_STORED, "b.txt": zipfile.ZIP_DEFLATED}
        assert archive.getinfo("b.txt").compress_size < len(text) / 100
        assert archive.infolist()[0].external_attr >> 16 == 0o100644


def test_a_zip_may_be_empty(tmp_path: Path) -> None:
    write(tmp_path / "x.zip", {}, {}).close()


@pytest.mark.slow
def test_more_members_than_16_bits_count(tmp_path: Path) -> None:
    write(tmp_path / "x.zip", {f"{number}.txt": b"x" for number in range(70_000)}, {}).close()


def test_sizes_and_places_of_64_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_writer, "_LIMIT", 1000)  # instead of 4 GiB; the form is the same
    members = {"small": b"x", "large": b"y" * 1000, "behind": b"z"}
    with write(tmp_path / "x.zip", members, {"text": b"t" * 5000}) as archive:
        assert b"PK\6\6" in (tmp_path / "x.zip").read_bytes()
        assert [len(info.extra) for info in archive.infolist()] == [0, 20, 12, 28]


def test_unzip_reads_it(tmp_path: Path) -> None:
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed")
    write(tmp_path / "x.zip", {"a/b.png": b"png"}, {"c.txt": b"text" * 999}).close()
    result = subprocess.run(["unzip", "-t", tmp_path / "x.zip"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_nothing_is_finished_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="stop"), ZipWriter(tmp_path / "x.zip") as archive:
        archive.add("a", b"b")
        raise OSError("stop")
    assert not zipfile.is_zipfile(tmp_path / "x.zip")
