"""NumPy archives: the meaning of each array, and what is refused without unpickling anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import InvalidInput

from tests.datasets import drawings, write_npz
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


@pytest.mark.parametrize(
    "images", [IMAGES, IMAGES[..., None], IMAGES[:, None], IMAGES > 0], ids=["plain", "last", "first", "bool"]
)
def test_shapes(tmp_path: Path, images: Any) -> None:
    for item, image in zip(read_all(write_npz(tmp_path / "s.npz", x=images, y=[1, 2, 3])), IMAGES, strict=True):
        assert np.array_equal(np.asarray(item.image), image)


def test_an_invalid_label_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "set.npz", x=IMAGES, y=["a", "b", "\u202e"])
    assert list(read_refused(path)) == ["x[2]"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no images": ({"y": [1, 2, 3]}, "needs arrays"),
    "no labels": ({"x": IMAGES}, "needs arrays"),
    "packed bits": ({"bits": [[1]], "y": [1]}, "needs arrays"),
    "fewer labels": ({"x": IMAGES, "y": [1]}, "not as many"),
    "fewer writers": ({"x": IMAGES, "y": [1, 2, 3], "writer": [1]}, "not as many"),
    "floats": ({"x": IMAGES.astype(np.float32), "y": [1, 2, 3]}, "store numbers or text"),
    "wide numbers": ({"x": IMAGES.astype(np.int64), "y": [1, 2, 3]}, "uint8"),
    "colors": ({"x": np.zeros((3, 8, 8, 3), np.uint8), "y": [1, 2, 3]}, "uint8"),
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
    import io
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
