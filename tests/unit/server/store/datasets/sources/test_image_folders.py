"""Folders of images, in a zip and on disk: parts, labels, writers, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import InvalidInput

from tests.datasets import drawing, png, write_zip
from tests.unit.server.store.datasets.sources.reading import read_all, read_refused

IMAGE = png(drawing(0))


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize(
    ("name", "label", "part", "writer"),
    [
        ("ಅ/1.png", "ಅ", None, ""),
        ("65/1.PNG", "A", None, ""),
        ("6/1.png", "6", None, ""),
        ("U+0C95_0CCD/1.jpeg", "ಕ್", None, ""),
        ("test/U+0C95_0CCD_/0CB7/w2.png", "ಕ್ಷ", Part.TEST, "2"),  # as an export writes a long label
        ("2024_/face_/ಅ/1.png", "ಅ", None, ""),  # not such a name
        ("U+0C95_/65/1.png", "A", None, ""),
        ("train/ಅ/1.png", "ಅ", Part.TRAIN, ""),
        ("Validation/ಅ/1.png", "ಅ", Part.VALIDATION, ""),
        ("val/ಅ/1.webp", "ಅ", Part.VALIDATION, ""),
        ("valid/ಅ/1.png", "ಅ", Part.VALIDATION, ""),
        ("my set/test/ಅ/1.png", "ಅ", Part.TEST, ""),
        ("train/test/1.png", "test", Part.TRAIN, ""),  # the name of a part can be a label
        ("ಅ/w012_3.png", "ಅ", None, "12"),
        ("ಅ/writer-7.png", "ಅ", None, "7"),
        ("writer_7/ಅ/1.png", "ಅ", None, "7"),
        ("test/w3/ಅ/w9_1.png", "ಅ", Part.TEST, "3"),
        ("w/1.png", "w", None, ""),
        ("ಅ/012_3.png", "ಅ", None, ""),
    ],
)
def test_names(tmp_path: Path, as_zip: bool, name: str, label: str, part: Part | None, writer: str) -> None:
    path = tmp_path / "set"
    if as_zip:
        path = write_zip(tmp_path / "set.zip", {name: IMAGE})
    else:
        (path / name).parent.mkdir(parents=True)
        (path / name).write_bytes(IMAGE)
    (item,) = read_all(path)
    assert (item.label, item.part, item.writer, item.image) == (label, part, writer, IMAGE)


def test_unknown_folders_are_ignored(tmp_path: Path) -> None:
    files = {"a/1.png": IMAGE, "__MACOSX/a/._1.png": b"", ".git/a/1.png": b"", "a/.DS_Store": b""}
    assert len(read_all(write_zip(tmp_path / "set.zip", files))) == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("1.png", "named after its label"),
        ("train/1.png", "named after its label"),
        ("a/notes.txt", "is not a PNG"),
        ("a/inner.zip", "is not a PNG"),
        ("999/1.png", "U+03E7"),
        ("U+110000/1.png", "is not a code point"),
        ("10/1.png", "U+000A, which cannot be a label"),
        ("../a/1.png", "leads out of the folder"),
        ("/etc/a/1.png", "leads out of the folder"),
    ],
)
def test_refused_by_name(tmp_path: Path, name: str, why: str) -> None:
    path = write_zip(tmp_path / "set.zip", {"ಅ/1.png": IMAGE, name: IMAGE})
    assert why in read_refused(path)[name]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {"a/1.png": IMAGE})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag in the member's own header
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # and in the list of members
    path.write_bytes(data)
    assert "a/1.png" in read_refused(path)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/1.png", bytes(100 * 2**20))
    with pytest.raises(InvalidInput, match="too much for its size"):
        read_all(tmp_path / "set.zip")


def test_links_that_lead_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(IMAGE)
    folder = tmp_path / "set" / "a"
    folder.mkdir(parents=True)
    (folder / "1.png").symlink_to(tmp_path / "secret.png")
    (folder / "2.png").symlink_to(folder / "1.png")
    (folder.parent / "b").symlink_to(tmp_path)
    assert set(read_refused(tmp_path / "set")) == {"a/1.png", "a/2.png"}


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "set.tar").write_bytes(b"x")
    with pytest.raises(InvalidInput) as caught:
        read_all(tmp_path / "set.tar")
    assert caught.value.field == "file_name"
