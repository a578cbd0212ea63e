"""IDX files like those of MNIST and EMNIST: parts, orientation, mappings, and errors."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.datasets.dataset import DatasetNote, Orientation, Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.store.datasets.sources import SourceItem, read

from tests.support.datasets import drawings, idx_files, idx_images, idx_labels, write_zip
from tests.unit.server.store.datasets.sources.reading import read_all

IMAGES = drawings(4)
LABELS = [0, 9, 1, 1]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_mnist(tmp_path: Path, packed: bool) -> None:
    files = idx_files(IMAGES, LABELS, "train-", zipped=packed) | idx_files(IMAGES[:2], [3, 4], "t10k-", zipped=packed)
    path = write_zip(tmp_path / "digits.zip", files)
    found = read_all(path)
    by_part = {part: [item for item in found if item.part is part] for part in Part}
    assert [item.label for item in by_part[Part.TRAIN]] == ["0", "9", "1", "1"]
    assert [item.label for item in by_part[Part.TEST]] == ["3", "4"]
    for item, image in zip(by_part[Part.TRAIN], IMAGES, strict=True):
        assert np.array_equal(np.asarray(item.image), image)


def test_a_folder_and_the_older_names(tmp_path: Path) -> None:
    (tmp_path / "train-images.idx3-ubyte").write_bytes(idx_images(IMAGES))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx_labels(LABELS))
    assert len(read_all(tmp_path, "digits")) == 4


def one_part(images: str, labels: str, *, zipped: bool = False, numbers: Sequence[int] = LABELS) -> dict[str, bytes]:
    content = {images: idx_images(IMAGES), labels: idx_labels(numbers)}
    return {name: gzip.compress(data) if zipped else data for name, data in content.items()}


LAYOUTS = {
    "Kannada-MNIST": one_part(
        "X_kannada_MNIST_train-idx3-ubyte.gz", "y_kannada_MNIST_train-idx1-ubyte.gz", zipped=True
    ),
    "Kaggle's folders": one_part(
        "train-images-idx3-ubyte/train-images-idx3-ubyte", "train-labels-idx1-ubyte/train-labels-idx1-ubyte"
    ),
    "each file twice": one_part("train-images.idx3-ubyte", "train-labels.idx1-ubyte")
    | one_part("train-images-idx3-ubyte/train-images-idx3-ubyte", "train-labels-idx1-ubyte/train-labels-idx1-ubyte"),
    "plain and packed": one_part("raw/train-images-idx3-ubyte", "raw/train-labels-idx1-ubyte")
    | one_part("raw/train-images-idx3-ubyte.gz", "raw/train-labels-idx1-ubyte.gz", zipped=True),
    "packed without an ending": one_part("train/images", "train/labels", zipped=True),
    "names that say nothing": one_part("train/a.bin", "train/b.bin"),
}


@pytest.mark.parametrize("files", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_files_are_known_by_what_is_in_them(tmp_path: Path, files: dict[str, bytes]) -> None:
    found = read_all(write_zip(tmp_path / "digits.zip", files))
    assert [(item.label, item.part) for item in found] == [(str(label), Part.TRAIN) for label in LABELS]
    assert all(np.array_equal(np.asarray(item.image), image) for item, image in zip(found, IMAGES, strict=True))


def test_parts_of_equal_size_keep_their_own_labels(tmp_path: Path) -> None:
    files = one_part("X_train.idx", "y_train.idx") | one_part("X_test.idx", "y_test.idx", numbers=[5, 6, 7, 8])
    found = read_all(write_zip(tmp_path / "digits.zip", files))
    assert [item.label for item in found if item.part is Part.TEST] == ["5", "6", "7", "8"]


def test_a_mapping_that_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    files = idx_files(IMAGES, [1, 2, 1, 2], "train-") | {"x-mapping.txt": b"\xef\xbb\xbf1 65\r\n2 66\r\n"}
    assert [item.label for item in read_all(write_zip(tmp_path / "s.zip", files))] == ["A", "B", "A", "B"]


@pytest.mark.parametrize(
    ("file_name", "orientation", "transposed"),
    [
        ("digits.zip", Orientation.AUTO, False),
        ("EMNIST-letters.zip", Orientation.AUTO, True),
        ("digits.zip", Orientation.TRANSPOSED, True),
        ("emnist.zip", Orientation.UPRIGHT, False),
    ],
)
def test_orientation(tmp_path: Path, file_name: str, orientation: Orientation, transposed: bool) -> None:
    path = write_zip(tmp_path / file_name, idx_files(IMAGES, LABELS, "train-"))
    (first, *_) = read_all(path, orientation=orientation)
    assert np.array_equal(np.asarray(first.image), IMAGES[0].T if transposed else IMAGES[0])


def test_a_mapping_that_is_not_utf_8(tmp_path: Path) -> None:
    files = idx_files(IMAGES, [1, 2, 1, 2], "train-") | {"x-mapping.txt": "1 65\n2 66\n".encode("utf-16")}
    with pytest.raises(InvalidInput, match="save it as UTF-8"):
        read_all(write_zip(tmp_path / "s.zip", files))


def test_emnist_with_its_mapping(tmp_path: Path) -> None:
    files = {
        **idx_files(IMAGES, [1, 2, 26, 1], "gzip/emnist-letters-train-", zipped=True),
        **idx_files(IMAGES[:1], [2], "gzip/emnist-letters-test-", zipped=True),
        "gzip/emnist-letters-mapping.txt": b"1 65 97\n2 66 98\n26 90 122\n",
        "gzip/readme.txt": b"x",
    }
    found = read_all(write_zip(tmp_path / "letters.zip", files))
    assert {(item.label, item.part) for item in found} == {
        ("A", Part.TRAIN),
        ("B", Part.TRAIN),
        ("Z", Part.TRAIN),
        ("B", Part.TEST),
    }
    assert any(np.array_equal(np.asarray(item.image), IMAGES[0].T) for item in found)  # the members' names say emnist


def test_emnist_s_letters_can_be_read_as_small_ones(tmp_path: Path) -> None:
    files = idx_files(IMAGES, [1, 2, 26, 1], "emnist-letters-train-")
    path = write_zip(tmp_path / "emnist.zip", files | {"emnist-letters-mapping.txt": LETTERS})
    notes: list[DatasetNote] = []
    found = list(read(path, path.name, Orientation.AUTO, notes.append, small_letters=True))
    assert {item.label for item in found if isinstance(item, SourceItem)} == {"a", "b", "z"}
    assert "“a” also for “A”" in notes[0].message


LETTERS, BALANCED = b"1 65 97\n2 66 98\n26 90 122\n", b"1 65\n2 66\n26 98\n27 90\n"


@pytest.mark.parametrize(
    ("mapping", "file_name", "merged"),
    [
        (LETTERS, "EMNIST/letters.zip", ["A", "B"]),
        (LETTERS, "other.zip", ["A", "B"]),
        (BALANCED, "emnist-balanced.zip", ["A"]),
        (BALANCED, "capitals.zip", []),
        (b"1 65 65 -5 1114112\n2 98 66 0\n26 66\n", "x.zip", []),
        (b"1 65 4800\n2 66 1200\n", "counted.zip", []),
    ],
    ids=[
        "both cases are named",
        "by whatever it is called",
        "EMNIST's capitals",
        "capitals alone",
        "nothing else",
        "counts",
    ],
)
def test_labels_that_stand_for_several_characters_are_noted(
    tmp_path: Path, mapping: bytes, file_name: str, merged: list[str]
) -> None:
    path = write_zip(tmp_path / "s.zip", idx_files(IMAGES, [1, 2, 1, 2], "train-") | {"x-mapping.txt": mapping})
    notes: list[DatasetNote] = []
    assert list(read(path, file_name, Orientation.AUTO, notes.append))
    assert [list(note.labels) for note in notes] == ([merged] if merged else [])
    assert all(note.reason == "MERGED_CHARACTERS" and "“A” also for “a”" in note.message for note in notes)


MNIST = idx_files(IMAGES, LABELS, "train-")
BAD = {
    "labels without a mapping": (idx_files(IMAGES, [1, 2, 3, 10], "train-"), "mapping.txt"),
    "a label that the mapping lacks": (MNIST | {"x-mapping.txt": b"0 48\n1 49\n"}, "is missing in its mapping"),
    "an invalid mapping": (MNIST | {"x-mapping.txt": b"zero\n"}, "a label and a code point"),
    "two mappings": (MNIST | {"x-mapping.txt": b"0 48", "y-mapping.txt": b"0 48"}, "several mappings"),
    "no labels": ({"train-images-idx3-ubyte": idx_images(IMAGES)}, "not its labels"),
    "fewer labels": (MNIST | {"train-labels-idx1-ubyte": idx_labels([1])}, "4 images"),
    "an end too early": (MNIST | {"train-images-idx3-ubyte": idx_images(IMAGES)[:-1]}, "is truncated"),
    "another file": (MNIST | {"train-labels-idx1-ubyte": idx_images(IMAGES)}, "not its labels"),
    "millions of labels": (MNIST | {"train-labels-idx1-ubyte": b"\0\0\x08\x01\xff\xff\xff\xff"}, "at most 1,000,000"),
    "no pixels": (MNIST | {"train-images-idx3-ubyte": idx_images(IMAGES[:, :0])}, "0 pixels"),
    "a damaged gz": (idx_files(IMAGES, LABELS, "train-", zipped=True), "damaged"),
    "two sets of one part": (MNIST | idx_files(IMAGES[::-1], LABELS, "kannada-train-"), "one of them at a time"),
    "two sets": (MNIST | idx_files(IMAGES, LABELS, "kannada-test-"), "one of them at a time"),
}


@pytest.mark.parametrize(("files", "why"), BAD.values(), ids=BAD.keys())
def test_inconsistent_files(tmp_path: Path, files: dict[str, bytes], why: str) -> None:
    if why == "damaged":
        files = {name: data[:-20] + bytes(20) for name, data in files.items()}
    path = write_zip(tmp_path / "digits.zip", files)
    with pytest.raises(InvalidInput) as caught:
        read_all(path)
    assert why in caught.value.description
