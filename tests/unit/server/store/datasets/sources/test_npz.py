"""NumPy archives: the meaning of each array, and what is refused without unpickling anything."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.datasets.dataset import Orientation, Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.store.datasets import sources

from tests.support.datasets import drawings, write_npz, write_zip
from tests.unit.server.store.datasets.sources.reading import read_all, read_refused

IMAGES = drawings(3)


def read(tmp_path: Path, **arrays: Any) -> list[tuple[str, Part | None, str]]:
    path = write_npz(tmp_path / "set.npz", **arrays)
    return [(item.label, item.part, item.writer) for item in read_all(path)]


def labels(tmp_path: Path, **arrays: Any) -> list[str]:
    return [label for label, _, _ in read(tmp_path, **arrays)]


def test_labels(tmp_path: Path) -> None:
    assert labels(tmp_path, x=IMAGES, y=[3, 0, 9]) == ["3", "0", "9"]
    assert labels(tmp_path, images=IMAGES, labels=["ಅ", "ಕ್", "65"]) == ["ಅ", "ಕ್", "65"]
    assert labels(tmp_path, x=IMAGES, y=np.array([2, 1, 1], np.int16), names=["", "ಅ", "ಆ"]) == ["ಆ", "ಅ", "ಅ"]
    assert labels(tmp_path, x=IMAGES, y=[0, 1, 0], classes=["ka", "kha"], unicode=["क", "ख"]) == ["क", "ख", "क"]
    assert labels(tmp_path, x=IMAGES, y=np.array([b"a", b"b", b"a"])) == ["a", "b", "a"]


def test_parts_and_writers(tmp_path: Path) -> None:
    found = read(tmp_path, x=IMAGES, y=[1, 2, 3], split=["train", "val", "test"], writer=[7, 7, 9])
    assert found == [("1", Part.TRAIN, "7"), ("2", Part.VALIDATION, "7"), ("3", Part.TEST, "9")]
    assert [part for _, part, _ in read(tmp_path, x=IMAGES, y=[1, 2, 3], split=[0, 1, 2])] == list(Part)
    several = read(tmp_path, x_train=IMAGES, y_train=[1, 2, 3], x_test=IMAGES[:1], y_test=[4])
    assert [part for _, part, _ in several] == [Part.TRAIN] * 3 + [Part.TEST]


SHAPES = {
    "plain": IMAGES,
    "last": IMAGES[..., None],
    "first": IMAGES[:, None],
    "bool": IMAGES > 0,
    "floats to 1": (IMAGES / 255).astype(np.float32),
    "floats to 255": IMAGES.astype(np.float64),
    "wide": IMAGES.astype(np.int64),
    "big-endian": IMAGES.astype(">i2"),
    "rows": IMAGES.reshape(3, -1),
}


@pytest.mark.parametrize("images", SHAPES.values(), ids=SHAPES.keys())
def test_shapes(tmp_path: Path, images: Any) -> None:
    for item, image in zip(read_all(write_npz(tmp_path / "s.npz", x=images, y=[1, 2, 3])), IMAGES, strict=True):
        assert np.array_equal(np.asarray(item.image), image)


def test_arrays_without_names_are_known_by_their_shapes(tmp_path: Path) -> None:
    assert labels(tmp_path, arr_0=IMAGES, arr_1=[3, 0, 9]) == ["3", "0", "9"]
    assert labels(tmp_path, arr_1=IMAGES, arr_0=["a", "b", "c"]) == ["a", "b", "c"]
    assert labels(tmp_path, X=IMAGES / 255, Y=[1.0, 2.0, 3.0]) == ["1", "2", "3"]


def pack(name: str, **arrays: Any) -> dict[str, bytes]:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return {name: buffer.getvalue()}


def pack_one(name: str, array: Any) -> dict[str, bytes]:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return {name: buffer.getvalue()}


PAIRS = {
    "KMNIST's names": pack("k/kmnist-train-imgs.npz", arr_0=IMAGES)
    | pack("k/kmnist-train-labels.npz", arr_0=[1, 2, 3]),
    "Kannada-MNIST's names": pack("X_kannada_MNIST_train.npz", arr_0=IMAGES)
    | pack("y_kannada_MNIST_train.npz", arr_0=[1, 2, 3]),
    "plain arrays": pack_one("X_train.npy", IMAGES) | pack_one("y_train.npy", [1, 2, 3]),
    "one archive": pack("train.npz", x_train=IMAGES, y_train=[1, 2, 3]) | {"readme.txt": b"x"},
}


@pytest.mark.parametrize("files", PAIRS.values(), ids=PAIRS.keys())
@pytest.mark.parametrize("folder", [False, True], ids=["zip", "folder"])
def test_files_of_one_array_each_are_paired(tmp_path: Path, files: dict[str, bytes], folder: bool) -> None:
    path = tmp_path / "set.zip"
    if folder:
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    else:
        write_zip(path, files)
    assert [(item.label, item.part) for item in read_all(path)] == [(label, Part.TRAIN) for label in "123"]


def test_an_invalid_label_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "set.npz", x=IMAGES, y=["a", "b", "\u202e"])
    assert list(read_refused(path)) == ["x[2]"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no images": ({"y": [1, 2, 3]}, "needs arrays"),
    "no labels": ({"x": IMAGES}, "needs arrays"),
    "packed bits": ({"bits": [[1]], "y": [1]}, "needs arrays"),
    "fewer labels": ({"x": IMAGES, "y": [1]}, "not as many"),
    "fewer writers": ({"x": IMAGES, "y": [1, 2, 3], "writer": [1]}, "not as many"),
    "centered floats": ({"x": IMAGES / 127.5 - 1, "y": [1, 2, 3]}, "from 0 to 255, or from 0 to 1"),
    "no numbers": ({"x": IMAGES * np.nan, "y": [1, 2, 3]}, "from 0 to 255, or from 0 to 1"),
    "wide numbers": ({"x": IMAGES.astype(np.int64) * 2, "y": [1, 2, 3]}, "from 0 to 255, or from 0 to 1"),
    "colors": ({"x": np.zeros((3, 8, 8, 3), np.uint8), "y": [1, 2, 3]}, "store gray images"),
    "a broken label": ({"x": IMAGES, "y": [1, 2, 2.5]}, "store whole numbers"),
    "bytes of another encoding": ({"x": IMAGES, "y": np.array([b"\xe9", b"\xe8", b"a"])}, "not UTF-8"),
    "names of another encoding": ({"x": IMAGES, "y": [0, 1, 0], "names": np.array([b"\xe9", b"a"])}, "not UTF-8"),
    "writers of another encoding": ({"x": IMAGES, "y": [0, 1, 0], "writer": np.array([b"\xe9"] * 3)}, "not UTF-8"),
    "objects": ({"x": IMAGES, "y": np.array([{}, 1, "a"], dtype=object)}, "store numbers or text"),
    "labels of two axes": ({"x": IMAGES, "y": [[1], [2], [3]]}, "must be a list"),
    "no names": ({"x": IMAGES, "y": [1, 2, 10]}, "add an array of names"),
    "too few names": ({"x": IMAGES, "y": [0, 1, 2], "names": ["a", "b"]}, "2 names"),
    "a negative label": ({"x": IMAGES, "y": [0, 1, -1], "names": ["a", "b"]}, "2 names"),
    "an unknown part": ({"x": IMAGES, "y": [1, 2, 3], "split": ["a", "b", "c"]}, "“a” in split"),
    "an unknown number": ({"x": IMAGES, "y": [1, 2, 3], "split": [0, 1, 3]}, "“3” in split"),
    "Fortran order": ({"x": np.asfortranarray(IMAGES), "y": [1, 2, 3]}, "Fortran"),
    "no pixels": ({"x": IMAGES[:, :0], "y": [1, 2, 3]}, "0 pixels"),
}


@pytest.mark.parametrize(("arrays", "why"), BAD.values(), ids=BAD.keys())
def test_inconsistent_arrays(tmp_path: Path, arrays: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, **arrays)
    assert why in caught.value.description


def test_a_truncated_array(tmp_path: Path) -> None:
    import zipfile

    buffer = io.BytesIO()
    np.save(buffer, IMAGES)
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as file:
        file.writestr("x.npy", buffer.getvalue()[:-9])
        buffer = io.BytesIO()
        np.save(buffer, np.array([1, 2, 3]))
        file.writestr("y.npy", buffer.getvalue())
    with pytest.raises(InvalidInput, match="truncated array"):
        read_all(tmp_path / "set.npz")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a NumPy archive"),
        (b"no zip", "not a NumPy archive"),
        (b"PK\x05\x06" + bytes(18), "needs arrays"),
    ],
)
def test_not_an_archive(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(InvalidInput, match=why):
        read_all(tmp_path / "set.npz")


def test_a_folder_of_unknown_drawings_is_refused_where_there_are_no_folders(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "s.npz", x=IMAGES, y=[1, 2, 3])
    with pytest.raises(InvalidInput, match="only folders of images have one") as refusal:
        list(sources.read(path, path.name, Orientation.AUTO, unknown_folder="3"))
    assert refusal.value.field == "options.unknown_folder"
