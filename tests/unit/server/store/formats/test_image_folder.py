"""Zips of labeled images: all kinds of folder names, zips of various programs, and malicious ones."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import FolderNames, parse_folder_name
from haleganada_server.core.limits import MAX_IMAGE_BYTES
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.store import DataDirectory
from haleganada_server.store.formats import items
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.unit.server.store.formats.conftest import Read
from tests.unit.server.store.formats.reading import require_items, require_refusal
from tests.unit.server.store.rows import png

Export = Callable[[TransferFormat], Path]


def write_zip(path: Path, *files: tuple[str, bytes]) -> Path:
    """Write a zip with these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files:
            file.writestr(name, content)
    return path


def test_one_picture_for_each_sample_that_any_viewer_shows(export: Export) -> None:
    with zipfile.ZipFile(export(TransferFormat.IMAGE_FOLDER)) as file:
        names = file.namelist()
        pictures = [Image.open(io.BytesIO(file.read(name))) for name in names]
    folder = "U+" + "_".join(f"{ord(char):04X}" for char in "../<b>")
    assert names == ["U+0C95/1.png", "U+0C95_0CCD/2.png", f"{folder}/3.png", "U+0C95/4.png"]
    for picture in pictures:
        lowest, highest = picture.getextrema()
        assert picture.mode == "L" and (lowest, highest) == (0, 255) and picture.getpixel((0, 0)) == 255


def test_an_export_can_be_imported(export: Export, read: Read) -> None:
    found = require_items(read(export(TransferFormat.IMAGE_FOLDER)))
    assert [item.label for item in found] == ["ಕ", "ಕ್", "../<b>", "ಕ"]


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("65", "A"),
        ("3205", "ಅ"),
        ("5", "5"),
        ("U+0C95", "ಕ"),
        ("U+0C95_0CCD", "ಕ್"),
        ("U+0C95 U+0CCD", "ಕ್"),
        ("U+1F600", "😀"),
        ("ಕ್ಷ", "ಕ್ಷ"),
        ("U+", "U+"),
        ("U+XYZ", "U+XYZ"),
        ("1A", "1A"),
        ("٦٥", "٦٥"),
        ("my data/train/A", "A"),
        ("dataset\\B", "B"),
    ],
)
def test_folder_names(read: Read, tmp_path: Path, folder: str, label: str) -> None:
    (item,) = require_items(read(write_zip(tmp_path / "any.zip", (f"{folder}/x.PNG", png(1)))))
    assert item.label == label and item.glyph.image == png(1)


@pytest.mark.parametrize("folder", ["U+110000", "U+FFFFFF"])
def test_folders_named_by_invalid_code_points_are_refused(read: Read, tmp_path: Path, folder: str) -> None:
    assert require_refusal(read(write_zip(tmp_path / "any.zip", (f"{folder}/x.png", png(1)))))[1] == "label"


@pytest.mark.parametrize("folder", ["10", "99999999", "9" * 5000, "007"])
def test_what_looks_like_class_numbers_stops_the_import(directory: DataDirectory, tmp_path: Path, folder: str) -> None:
    path = write_zip(tmp_path / "any.zip", ("65/x.png", png(1)), (f"{folder}/x.png", png(2)))
    with pytest.raises(InvalidInput, match="look like class numbers"):
        list(directory.read_import(path, None))
    found = require_items(directory.read_import(path, None, FolderNames.TEXT))
    assert [item.label for item in found] == ["65", folder]


def test_code_points_are_told(directory: DataDirectory, tmp_path: Path) -> None:
    notes: list[str] = []
    path = write_zip(tmp_path / "any.zip", ("65/x.png", png(1)), ("U+0042/x.png", png(2)))
    found = require_items(directory.read_import(path, None, FolderNames.AUTO, notes.append))
    assert [item.label for item in found] == ["A", "B"]
    assert len(notes) == 1 and "65 is “A”" in notes[0]


@pytest.mark.parametrize("rule", FolderNames)
def test_drawings_of_no_label_are_skipped_and_told(directory: DataDirectory, tmp_path: Path, rule: FolderNames) -> None:
    notes: list[str] = []
    path = write_zip(tmp_path / "any.zip", ("U+0042/x.png", png(1)), ("999/x.png", png(2)))
    found = require_items(directory.read_import(path, None, rule, notes.append))
    assert [item.label for item in found] == ["B"]
    assert len(notes) == 1 and "the folder 999" in notes[0] and "was skipped" in notes[0]


def test_half_a_surrogate_pair_is_left_to_the_core_to_refuse(read: Read, tmp_path: Path) -> None:
    (item,) = require_items(read(write_zip(tmp_path / "any.zip", ("U+D800/x.png", png(1)))))
    assert item.label == "\ud800" and len(item.key) == 64


def test_files_added_by_systems_are_skipped_and_other_files_refused(read: Read, tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "any.zip",
        ("A/", b""),
        ("A/1.png", png(1)),
        ("A/.DS_Store", b"x"),
        ("__MACOSX/A/._1.png", b"x"),
        (".git/B/2.png", b"x"),
        ("A/notes.txt", b"x"),
        ("3.png", png(3)),
    )
    found = read(path)
    assert [item.item for item in found] == ["A/1.png", "A/notes.txt", "3.png"]
    assert require_refusal(found[1:2]) == ("A/notes.txt", "file") and require_refusal(found[2:]) == ("3.png", "label")


def test_names_in_utf8_without_the_flag(read: Read, tmp_path: Path) -> None:
    """The Finder writes them without the flag, so Python decodes them as code page 437."""
    path = write_zip(tmp_path / "any.zip", ("ಕ್/1.png", png(1)))
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + flags
        content[at + 1] &= ~0x08
    path.write_bytes(content)
    assert [item.label for item in require_items(read(path))] == ["ಕ್"]


@pytest.mark.parametrize("name", ["../../A/evil.png", "/etc/A/evil.png", "C:\\A\\evil.png", "A/../B/A/evil.png"])
def test_a_path_is_only_ever_a_name(read: Read, tmp_path: Path, name: str) -> None:
    before = set(tmp_path.rglob("*"))
    path = write_zip(tmp_path / "any.zip", (name, png(1)))
    (item,) = require_items(read(path))
    assert item.label == "A"
    assert set(tmp_path.rglob("*")) - before <= {path}, "nothing is unpacked"


def test_too_large_a_picture_is_refused_alone(read: Read, tmp_path: Path) -> None:
    big = bytes(MAX_IMAGE_BYTES + 1)
    found = read(write_zip(tmp_path / "any.zip", ("A/big.png", big), ("A/small.png", png(1))))
    assert require_refusal(found[:1]) == ("A/big.png", "file")
    assert require_items(found[1:])[0].item == "A/small.png"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(read: Read, tmp_path: Path) -> None:
    zeros = bytes(MAX_IMAGE_BYTES)
    path = write_zip(tmp_path / "bomb.zip", *((f"A/{number}.png", zeros) for number in range(9)))
    with pytest.raises(InvalidInput, match="unpacks to"):
        read(path)


def test_a_picture_that_unpacks_further_than_it_says_is_cut_off(read: Read, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "liar.zip", ("A/1.png", bytes(1_000_000)))
    content = path.read_bytes().replace(struct.pack("<I", 1_000_000), struct.pack("<I", 10))
    path.write_bytes(content)
    assert require_refusal(read(path)) == ("A/1.png", "file")


def test_a_list_of_too_many_files_is_refused_unread(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "many.zip", *((f"A/{number}.png", b"") for number in range(50)))
    monkeypatch.setattr(zip_files, "DEFAULT_LIMITS", zip_files.ZipLimits(members=49))
    with pytest.raises(InvalidInput, match="split it"):
        read(path)


@pytest.mark.parametrize("wide", [False, True], ids=["32 bits", "64 bits"])
def test_a_list_that_claims_to_be_huge_is_refused_unread(read: Read, tmp_path: Path, wide: bool) -> None:
    path = write_zip(tmp_path / "huge.zip", ("A/1.png", png(1)))
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    if wide:
        record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, 2**40, 0)
        content[end:end] = record + b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    else:
        struct.pack_into("<I", content, end + 12, 2**31)
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="lists too many files"):
        read(path)


def test_encrypted_and_unusual_members_are_refused(read: Read, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "any.zip", ("A/1.png", png(1)))
    whole = path.read_bytes()
    for offsets, value, why in (((6, 8), 0x01, "password"), ((8, 10), 99, "AES encryption")):  # a flag; a method
        content = bytearray(whole)
        for signature, offset in zip((b"PK\x03\x04", b"PK\x01\x02"), offsets, strict=True):
            content[content.index(signature) + offset] = value
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match=why):
            list(read(path))


@pytest.mark.parametrize("keep", [10, 100, -1, -10])
def test_a_truncated_zip(directory: DataDirectory, export: Export, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(export(TransferFormat.IMAGE_FOLDER).read_bytes()[:keep])
    for form in (None, TransferFormat.IMAGE_FOLDER, TransferFormat.ARCHIVE):
        with pytest.raises(InvalidInput):
            list(directory.read_import(path, form))


@given(st.text(min_size=1, max_size=64))
@example("../etc")
@example("U+0041")
@example("65")
@example("ಕ" * 32)
@example("😀" * 64)
def test_a_folder_name_gives_its_label(label: str) -> None:
    names = items.label_to_folders(label).split("/")
    for name in names:
        assert name.isascii() and len(name) < 255 and not set(name) & set('\\:*?"<>|.')
    assert parse_folder_name(items.join_label_folders(["train", *names])) == label
