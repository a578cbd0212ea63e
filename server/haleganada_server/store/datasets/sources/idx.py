"""IDX files, in which MNIST and EMNIST come: *-images-idx3-ubyte and *-labels-idx1-ubyte, plain or .gz.

The layout is that of MNIST's own description: a magic number, the sizes as 32-bit big-endian numbers, then bytes.
EMNIST stores its images with rows and columns exchanged, and says in *-mapping.txt which code point each label is.
"""

from __future__ import annotations

import gzip
import re
import struct
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from haleganada_server.core.datasets.dataset import Orientation, Part
from haleganada_server.core.errors import InvalidInput

from .file_tree import Tree
from .merged_characters import merged_characters, other_characters
from .source_item import MAX_PIXELS, LabelName, SourceItem, Tell, label_name, part_named, require_items, untold

_IMAGES = re.compile(
    r"(?P<set>.*?)(?:^|[-_])?(?P<part>train|test|t10k|val|valid|validation)?[-_]?images?[-_.]idx3[-_.]ubyte(?:\.gz)?",
    re.IGNORECASE,
)
_IMAGE_MAGIC, _LABEL_MAGIC = 0x00000803, 0x00000801
_MAX_MAPPING_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Pair:
    """Names of one file of images and its file of labels."""

    images: str
    labels: str
    series: str
    part: Part | None


def is_idx(names: Sequence[str]) -> bool:
    """Whether there are IDX images among the files."""
    return any(_IMAGES.fullmatch(PurePosixPath(name).name) for name in names)


def read(tree: Tree, file_name: str, orientation: Orientation, tell: Tell = untold) -> Iterator[SourceItem]:
    """tell: is told of labels that stand for several characters. Raises InvalidInput if the files do not fit each
    other, or labels above 9 come without a mapping.
    """
    pairs = list(_pairs(tree.names()))
    series = sorted({pair.series for pair in pairs})
    if len(series) > 1:
        raise InvalidInput("file", f"has several sets of IDX files ({', '.join(series)}); send one of them at a time")
    rows = _mapping(tree, series[0])
    mapping = {value: names[0] for value, names in rows.items()} if rows is not None else None
    labels: set[str] = set()
    for pair in pairs:
        is_emnist = "emnist" in f"{file_name}/{pair.images}".lower()
        transposed = orientation is Orientation.TRANSPOSED or (orientation is Orientation.AUTO and is_emnist)
        for item in _drawings(tree, pair, mapping, transposed):
            labels.add(item.label)
            yield item
    others = other_characters(
        list((rows or {}).values()), any("emnist" in name.lower() for name in (file_name, *series))
    )
    if merged := {label: others[label] for label in sorted(labels & others.keys())}:
        tell(merged_characters(merged))


def _pairs(names: Sequence[str]) -> Iterator[_Pair]:
    present = set(names)
    for name in names:
        path = PurePosixPath(name)
        found = _IMAGES.fullmatch(path.name)
        if found is None:
            continue
        plain = re.sub(r"\.gz$", "", path.name, flags=re.IGNORECASE)
        labels = re.sub("idx3", "idx1", re.sub("image(s?)", r"label\1", plain))
        beside = [str(path.with_name(labels + ending)) for ending in ("", ".gz")]
        there = next((candidate for candidate in beside if candidate in present), None)
        if there is None:
            raise InvalidInput("file", f"has {path.name} but not its labels, {labels}; put them beside it")
        yield _Pair(name, there, str(path.with_name(found["set"] or "-")), part_named(found["part"] or ""))


def _mapping(tree: Tree, series: str) -> dict[int, list[LabelName]] | None:
    """label -> its characters, one at least, from *-mapping.txt beside the images; None if there is no such file."""
    names = [name for name in tree.names() if name.lower().endswith("mapping.txt")]
    own = [name for name in names if PurePosixPath(name).name.startswith(PurePosixPath(series).name.rstrip("-"))]
    if not names:
        return None
    if len(own or names) > 1:
        raise InvalidInput("file", f"has several mappings ({', '.join(own or names)}); leave only the right one")
    try:
        lines = tree.content((own or names)[0], _MAX_MAPPING_BYTES).decode("ascii").split("\n")
        rows = [[int(word) for word in line.split()] for line in lines if line.strip()]
        return {value: [_named(first), *map(_named, _other_case(first, more))] for value, first, *more in rows}
    except (ValueError, OverflowError) as error:
        raise InvalidInput("file", "has a mapping of which not every line is a label and a code point") from error


def _named(code: int) -> LabelName:
    """Raises ValueError or OverflowError for what is no code point."""
    return label_name(chr(code), chr(code))


def _other_case(code: int, more: Sequence[int]) -> list[int]:
    """Those of a row's further numbers that are the same letter in another case, as EMNIST's are; not counts."""
    folded = chr(code).casefold()
    return [other for other in more if 0 <= other <= sys.maxunicode and chr(other).casefold() == folded]


def _drawings(tree: Tree, pair: _Pair, mapping: dict[int, LabelName] | None, transposed: bool) -> Iterator[SourceItem]:
    labels = _labels(tree, pair.labels)
    names = {int(value): _character(int(value), mapping) for value in np.unique(labels)}
    with _unpacked(tree, pair.images) as file:
        count, height, width = _header(file, _IMAGE_MAGIC, 3, pair.images)
        if count != len(labels):
            raise InvalidInput("file", f"has {count:,} images in {pair.images} but {len(labels):,} labels for them")
        if not 0 < height * width <= MAX_PIXELS:
            raise InvalidInput("file", f"has images of {width} x {height} pixels in {pair.images}")
        for i in range(count):
            pixels = np.frombuffer(_exactly(file, height * width, pair.images), np.uint8).reshape(height, width)
            name = names[int(labels[i])]
            image = np.ascontiguousarray(pixels.T) if transposed else pixels
            yield SourceItem(f"{pair.images}[{i}]", name.label, name.folder, image, pair.part)


def _labels(tree: Tree, name: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    with _unpacked(tree, name) as file:
        (count,) = _header(file, _LABEL_MAGIC, 1, name)
        require_items(count)
        return np.frombuffer(_exactly(file, count, name), np.uint8)


def _character(value: int, mapping: dict[int, LabelName] | None) -> LabelName:
    if mapping is None and value > 9:
        raise InvalidInput(
            "file",
            f"has the label {value}, and nothing says which character that is; put a file *-mapping.txt beside the "
            "images, with a line “label code-point” for each",
        )
    found = label_name(str(value), str(value)) if mapping is None else mapping.get(value)
    if found is None:
        raise InvalidInput("file", f"has the label {value}, which its mapping does not name; add a line for it")
    if found.error is not None:
        raise found.error
    return found


@contextmanager
def _unpacked(tree: Tree, name: str) -> Iterator[IO[bytes]]:
    """A file, through gzip if its name ends so. Raises InvalidInput while it is read if it is damaged."""
    try:
        with tree.opened(name) as raw:
            if not name.lower().endswith(".gz"):
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as file:
                yield file  # type: ignore[misc]
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput("file", f"has a damaged {name}; make it again") from error


def _header(file: IO[bytes], magic: int, dimensions: int, name: str) -> tuple[int, ...]:
    found = struct.unpack(f">{1 + dimensions}I", _exactly(file, 4 + 4 * dimensions, name))
    if found[0] != magic:
        raise InvalidInput("file", f"has {name}, which is not the IDX file that its name promises")
    return found[1:]


def _exactly(file: IO[bytes], count: int, name: str) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise InvalidInput("file", f"has {name}, which ends too early; send the whole file")
    return data
