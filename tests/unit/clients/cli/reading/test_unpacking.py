"""Zips are unpacked into their folder and nowhere else."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest
from haleganada_client.cli.files import unpacking
from haleganada_client.cli.files.unpacking import unpack
from haleganada_client.errors import HaleganadaError


def zip_members(*members: tuple[str | zipfile.ZipInfo, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    file.seek(0)
    return file


def test_files_and_folders_are_as_in_the_zip(tmp_path: Path) -> None:
    paths = unpack(zip_members(("manifest.json", b"{}"), ("words/1/ಅ.png", b"png")), tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == ["out/manifest.json", "out/words/1/ಅ.png"]
    assert paths[1].read_bytes() == b"png"


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name", ["/etc/evil", "../evil", "a/../../evil", "..\\evil", "C:evil", "a\x07b", link()], ids=repr
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str | zipfile.ZipInfo) -> None:
    with pytest.raises(HaleganadaError, match="cannot be unpacked"):
        unpack(zip_members(("fine", b""), (name, b"/etc/passwd")), tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "fine"]


def test_a_zip_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_TOTAL_BYTES", 3 << 20)
    bomb = zip_members(*((f"{i}", bytes(1 << 20)) for i in range(4)))
    assert len(bomb.getvalue()) < 10_000
    with pytest.raises(HaleganadaError, match="no room"):
        unpack(bomb, tmp_path / "out")


NO_ZIPS = {"empty": b"", "text": b"no zip at all", "truncated": zip_members(("a", b"x" * 1000)).getvalue()[:-30]}


@pytest.mark.parametrize("content", NO_ZIPS.values(), ids=NO_ZIPS)
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(HaleganadaError, match="cannot be unpacked"):
        unpack(io.BytesIO(content), tmp_path / "out")
