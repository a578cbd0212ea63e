"""Folders of images, in a zip and on disk: parts, labels, writers, and what is refused."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from haleganada_server.core.datasets.dataset import DatasetNote, Orientation, Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.store.datasets.sources import SourceItem, read

from tests.support.datasets import drawing, png, write_zip
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
        ("U+110000/1.png", "is not a code point"),
        ("U+000A/1.png", "U+000A, which cannot be a label"),
        ("../a/1.png", "leads out of the folder"),
        ("/etc/a/1.png", "leads out of the folder"),
    ],
)
def test_refused_by_name(tmp_path: Path, name: str, why: str) -> None:
    path = write_zip(tmp_path / "set.zip", {"ಅ/1.png": IMAGE, name: IMAGE})
    assert why in read_refused(path)[name]


def test_class_numbers_stop_and_code_points_are_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {f"train/{i}/1.png": IMAGE for i in (3, 10, 11)})
    with pytest.raises(InvalidInput, match="look like class numbers"):
        read_all(path)
    found = read(path, path.name, Orientation.AUTO, folder_names=FolderNames.TEXT)
    assert [item.label for item in found if isinstance(item, SourceItem)] == ["10", "11", "3"]
    mapping = {"class_mapping.json": b'{"10": "a", "11": "b"}'}
    mapped = write_zip(tmp_path / "mapped.zip", {f"{i}/1.png": IMAGE for i in (10, 11, 65)} | mapping)
    notes: list[DatasetNote] = []
    found = read(mapped, mapped.name, Orientation.AUTO, notes.append)
    assert [item.label for item in found if isinstance(item, SourceItem)] == ["a", "b", "A"]
    assert [(note.reason, note.labels) for note in notes] == [("READ_AS_CODE_POINTS", ("A",))]
    notes.clear()
    list(read(mapped, mapped.name, Orientation.AUTO, notes.append, folder_names=FolderNames.CODE_POINTS))
    assert not notes, "what was asked for is not told"


UNKNOWN = {"train/65/1.png": IMAGE, "train/999/1.png": IMAGE, "test/junk/1.png": IMAGE}


@pytest.mark.parametrize("rule", FolderNames)
def test_a_folder_of_no_label_is_kept_and_told(tmp_path: Path, rule: FolderNames) -> None:
    path = write_zip(tmp_path / "set.zip", UNKNOWN)
    notes: list[DatasetNote] = []
    found = list(read(path, path.name, Orientation.AUTO, notes.append, rule))
    assert [(item.label, item.part) for item in found if isinstance(item, SourceItem)] == [
        ("junk", Part.TEST),
        ("65" if rule is FolderNames.TEXT else "A", Part.TRAIN),
        ("", Part.TRAIN),
    ]
    (note,) = [note for note in notes if note.reason == "UNKNOWN_DRAWINGS"]
    assert note.message.startswith("the folder 999 holds drawings of none of the labels")


def test_which_folder_has_no_label_can_be_chosen(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", UNKNOWN)
    found = read(path, path.name, Orientation.AUTO, folder_names=FolderNames.TEXT, unknown_folder="junk")
    assert [item.label for item in found if isinstance(item, SourceItem)] == ["", "65", "999"]
    with pytest.raises(InvalidInput, match="no folder of drawings has that name"):
        list(read(path, path.name, Orientation.AUTO, unknown_folder="nowhere"))
    mapped = write_zip(tmp_path / "mapped.zip", UNKNOWN | {"class_mapping.json": b'{"999": "x"}'})
    assert [item.label for item in read_all(mapped)] == ["junk", "A", "x"]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {"a/1.png": IMAGE})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag in the member's own header
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # and in the list of members
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match="has a password; make it again without one"):
        read_all(path)


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (93, "Zstandard"), (77, "number 77")])
def test_a_method_that_few_programs_read_is_named(tmp_path: Path, method: int, name: str) -> None:
    path = write_zip(tmp_path / "set.zip", {"a/1.png": IMAGE})
    data = bytearray(path.read_bytes())
    data[8] = data[data.rindex(b"PK\x01\x02") + 10] = method
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match=f"{name}.*ordinary deflate"):
        read_all(path)


@pytest.mark.parametrize(("start", "name"), [(b"Rar!\x1a\x07", "RAR"), (b"7z\xbc\xaf\x27\x1c", "7-Zip")])
def test_another_archive_is_named(tmp_path: Path, start: bytes, name: str) -> None:
    (tmp_path / "set.zip").write_bytes(start + bytes(100))
    with pytest.raises(InvalidInput, match=f"is a {name} file, not a zip file"):
        read_all(tmp_path / "set.zip")


def write_raw_names(path: Path, names: Sequence[bytes]) -> Path:
    """A zip whose names are these bytes, without the flag of UTF-8."""
    with zipfile.ZipFile(path, "w") as file:
        for i, name in enumerate(names):
            file.writestr(f"{i:0{len(name)}}", IMAGE)
    data = path.read_bytes()
    for i, name in enumerate(names):
        data = data.replace(f"{i:0{len(name)}}".encode(), name)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850"])
def test_names_in_a_code_page_are_refused_and_not_guessed(tmp_path: Path, encoding: str) -> None:
    path = write_raw_names(tmp_path / "set.zip", [f"data/{label}/0001.png".encode(encoding) for label in "aäé"])
    with pytest.raises(InvalidInput, match=r"not UTF-8.*send the folder"):
        read_all(path)


@pytest.mark.parametrize(("encoding", "label"), [("gbk", "二"), ("shift-jis", "ソ"), ("cp1251", "ж"), ("big5", "十")])
def test_no_code_page_becomes_other_letters(tmp_path: Path, encoding: str, label: str) -> None:
    with pytest.raises(InvalidInput, match="not UTF-8"):
        read_all(write_raw_names(tmp_path / "set.zip", [f"data/{label}/0001.png".encode(encoding)]))


def test_what_could_be_utf8_is_not_when_it_comes_from_windows(tmp_path: Path) -> None:
    path = write_raw_names(tmp_path / "set.zip", ["data/一/0001.png".encode("gbk")])
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 5] = 0  # made on FAT
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match="not UTF-8"):
        read_all(path)


def test_utf8_names_without_the_flag(tmp_path: Path) -> None:
    path = write_raw_names(tmp_path / "set.zip", [f"data/{label}/0001.png".encode() for label in "ಅä"])
    assert sorted(item.label for item in read_all(path)) == ["ä", "ಅ"]


def test_no_file_is_lost_when_names_repeat(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a name is repeated
        for name in ("a/1.png", "a/1.png", "./a//1.png", "b/1.png", "a/Thumbs.db", "a/desktop.ini", "a/.DS_Store"):
            file.writestr(name, IMAGE)
    found = read_all(tmp_path / "set.zip")
    assert [(item.item, item.label) for item in found] == [
        ("a/1 (2).png", "a"),
        ("a/1 (3).png", "a"),
        ("a/1.png", "a"),
        ("b/1.png", "b"),
    ]


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
