"""Small data sets that are real: drawings of a few characters, in every form in which data sets come."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Gray = NDArray[np.uint8]


def drawing(seed: object, side: int = 28) -> Gray:
    """(side, side) uint8: a few thick white lines on black, different for each seed."""
    dice = random.Random(str(seed))
    image = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(image)
    for _ in range(3):
        pen.line([dice.randrange(3, side - 3) for _ in range(4)], fill=255, width=2)
    return np.asarray(image)


def drawings(count: int, side: int = 28) -> Gray:
    """(count, side, side)."""
    return np.stack([drawing(i, side) for i in range(count)])


def png(gray: Gray) -> bytes:
    """The bytes of an image of these pixels."""
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "PNG")
    return buffer.getvalue()


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """A zip of these files, in their order."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def folders_of(labels: Iterable[str], each: int = 4, prefix: str = "") -> dict[str, bytes]:
    """Files label/i.png, each of another drawing."""
    return {f"{prefix}{label}/{i}.png": png(drawing((prefix, label, i))) for label in labels for i in range(each)}


def idx_images(images: Gray) -> bytes:
    """As in MNIST's files."""
    return struct.pack(">IIII", 0x803, *images.shape) + images.tobytes()


def idx_labels(labels: Iterable[int]) -> bytes:
    values = bytes(labels)
    return struct.pack(">II", 0x801, len(values)) + values


def idx_files(images: Gray, labels: Iterable[int], prefix: str, *, zipped: bool = False) -> dict[str, bytes]:
    """The two files of one part; prefix: for example “train-”."""
    plain = {
        f"{prefix}images-idx3-ubyte": idx_images(images),
        f"{prefix}labels-idx1-ubyte": idx_labels(labels),
    }
    return {f"{name}.gz": gzip.compress(data) for name, data in plain.items()} if zipped else plain


def write_npz(path: Path, **arrays: Any) -> Path:
    """An archive of these arrays."""
    np.savez_compressed(path, allow_pickle=True, **arrays)  # objects, too, for tests that they are not read
    return path
