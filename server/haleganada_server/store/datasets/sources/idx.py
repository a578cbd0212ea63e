"""IDX files, the format of MNIST and EMNIST: files of images and of labels, plain or .gz, whatever their names.

The layout is the one that MNIST's authors describe: a magic number, the sizes as 32-bit big-endian numbers, then bytes.
EMNIST transposes its images, and gives the code point of each label in *-mapping.txt.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import struct
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import numpy as np

from haleganada_server.core.datasets.dataset import Orientation
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.machine_errors import raise_machine_error

from .file_tree import Tree
from .merged_characters import describe_merged_characters, find_merged_characters, name_small_letter_first
from .pairs import ListFile, Pair, find_series, pair_files
from .source_item import MAX_PIXELS, LabelName, OnNote, SourceItem, ignore_note, make_label_name, require_items

_IMAGE_MAGIC, _LABEL_MAGIC = 0x00000803, 0x00000801
_GZIP_MAGIC = b"\x1f\x8b"
_MAPPING, _MAX_MAPPING_BYTES = "mapping.txt", 1 << 20


class IdxFiles:
    """The IDX files of a tree, found by how they begin: they have many names."""

    def __init__(self, tree: Tree, names: Sequence[str]) -> None:
        """names: of the files that may be IDX files."""
        self._tree = tree
        self._images, self._labels = list[ListFile](), list[ListFile]()
        for name in names:
            magic, count = self._peek(name)
            if magic == _IMAGE_MAGIC:
                self._images.append(ListFile(name, count))
            elif magic == _LABEL_MAGIC:
                self._labels.append(ListFile(name, count))

    def __bool__(self) -> bool:
        """Return whether there are any images."""
        return bool(self._images)

    def pair(self) -> list[Pair]:
        """Return the files of images with their labels. Raises InvalidInput."""
        return pair_files(self._images, self._labels, self._hash)

    def _peek(self, name: str) -> tuple[int, int]:
        """Return the first two numbers of a file; zeros if it has none, or cannot be opened, which others say."""
        try:
            raw = self._tree.open(name)
        except InvalidInput:
            return 0, 0
        with _unpack(raw, name) as file:
            start = file.read(8)
        magic, count = struct.unpack(">II", start) if len(start) == 8 else (0, 0)
        return magic, count

    def _hash(self, name: str) -> bytes:
        digest = hashlib.sha256()
        with _unpack(self._tree.open(name), name) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        return digest.digest()


def read(
    tree: Tree,
    files: IdxFiles,
    file_name: str,
    orientation: Orientation,
    on_note: OnNote = ignore_note,
    small_letters: bool = False,
) -> Iterator[SourceItem]:
    """Yield the drawings. files: those of the tree. on_note: called for labels that stand for several characters.
    small_letters: see DatasetOptions.

    Raises InvalidInput if the files do not match, or if labels above 9 have no mapping.
    """
    pairs = files.pair()
    series = sorted({pair.series for pair in pairs})
    if len(series) > 1:
        raise InvalidInput("file", f"has several sets of IDX files ({', '.join(series)}); send one of them at a time")
    rows = _read_mapping(tree, series[0])
    is_any_emnist = any("emnist" in name.lower() for name in (file_name, *series))
    if rows is not None and small_letters:
        rows = {value: name_small_letter_first(names, is_any_emnist) for value, names in rows.items()}
    mapping = {value: names[0] for value, names in rows.items()} if rows is not None else None
    labels: set[str] = set()
    for pair in pairs:
        is_emnist = "emnist" in f"{file_name}/{pair.images}".lower()
        transposed = orientation is Orientation.TRANSPOSED or (orientation is Orientation.AUTO and is_emnist)
        for item in _read_drawings(tree, pair, mapping, transposed):
            labels.add(item.label)
            yield item
    others = find_merged_characters(list((rows or {}).values()), is_any_emnist)
    if merged := {label: others[label] for label in sorted(labels & others.keys())}:
        on_note(describe_merged_characters(merged))


def _read_mapping(tree: Tree, series: str) -> dict[int, list[LabelName]] | None:
    """Return label -> its characters, at least one, from *-mapping.txt beside the images; None without such a file."""
    names = [name for name in tree.names() if name.lower().endswith(_MAPPING)]
    own = [name for name in names if find_series(name[: -len(_MAPPING)]) == series]
    if not names:
        return None
    if len(own or names) > 1:
        raise InvalidInput("file", f"has several mappings ({', '.join(own or names)}); keep only the right one")
    try:
        content = tree.read((own or names)[0], _MAX_MAPPING_BYTES).removeprefix(codecs.BOM_UTF8)
        lines = content.decode("utf-8").splitlines()
        rows = [[int(word) for word in line.split()] for line in lines if line.strip()]
        return {value: [_to_name(first), *map(_to_name, _find_other_case(first, more))] for value, first, *more in rows}
    except UnicodeDecodeError as error:
        raise InvalidInput("file", "has a mapping that is not UTF-8; save it as UTF-8") from error
    except (ValueError, OverflowError) as error:
        why = "has a mapping with a line that is not a label and a code point, as decimal numbers; write them so"
        raise InvalidInput("file", why) from error


def _to_name(code: int) -> LabelName:
    """Return the name for a code point. Raises ValueError or OverflowError for another number."""
    return make_label_name(chr(code), chr(code))


def _find_other_case(code: int, more: Sequence[int]) -> list[int]:
    """Return the further numbers of a row that are the same letter in another case, as in EMNIST; others are counts."""
    folded = chr(code).casefold()
    return [other for other in more if 0 <= other <= sys.maxunicode and chr(other).casefold() == folded]


def _read_drawings(
    tree: Tree, pair: Pair, mapping: dict[int, LabelName] | None, transposed: bool
) -> Iterator[SourceItem]:
    labels = _read_labels(tree, pair.labels)
    names = {int(value): _name_label(int(value), mapping) for value in np.unique(labels)}
    with _unpack(tree.open(pair.images), pair.images) as file:
        count, height, width = _read_header(file, _IMAGE_MAGIC, 3, pair.images)
        if count != len(labels):
            raise InvalidInput("file", f"has {count:,} images in {pair.images} but {len(labels):,} labels for them")
        if not 0 < height * width <= MAX_PIXELS:
            raise InvalidInput("file", f"has images of {width} x {height} pixels in {pair.images}")
        for i in range(count):
            pixels = np.frombuffer(_read_exactly(file, height * width, pair.images), np.uint8).reshape(height, width)
            name = names[int(labels[i])]
            image = np.ascontiguousarray(pixels.T) if transposed else pixels
            item = f"{pair.images}[{i}]"
            yield SourceItem(item=item, label=name.label, folder=name.folder, image=image, part=pair.part)


def _read_labels(tree: Tree, name: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    with _unpack(tree.open(name), name) as file:
        (count,) = _read_header(file, _LABEL_MAGIC, 1, name)
        require_items(count)
        return np.frombuffer(_read_exactly(file, count, name), np.uint8)


def _name_label(value: int, mapping: dict[int, LabelName] | None) -> LabelName:
    if mapping is None and value > 9:
        raise InvalidInput(
            "file",
            f"has the label {value}, but does not say which character that is; put a file *-mapping.txt beside the "
            "images, with a line “label code-point” for each label",
        )
    found = make_label_name(str(value), str(value)) if mapping is None else mapping.get(value)
    if found is None:
        raise InvalidInput("file", f"has the label {value}, which is missing in its mapping; add a line for it")
    if found.error is not None:
        raise found.error
    return found


@contextmanager
def _unpack(raw: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """Read an open file through gzip if it is packed so, and close it. Raises InvalidInput for a damaged file, also in
    the block.
    """
    try:
        with raw:
            is_packed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if not is_packed:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as file:
                yield file  # type: ignore[misc]
    except (OSError, EOFError, zlib.error) as error:
        raise_machine_error(error)
        raise InvalidInput("file", f"has a damaged {name}; create it again") from error


def _read_header(file: IO[bytes], magic: int, dimensions: int, name: str) -> tuple[int, ...]:
    found = struct.unpack(f">{1 + dimensions}I", _read_exactly(file, 4 + 4 * dimensions, name))
    if found[0] != magic:
        raise InvalidInput("file", f"has {name}, which is not the IDX file that its name says")
    return found[1:]


def _read_exactly(file: IO[bytes], count: int, name: str) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise InvalidInput("file", f"has {name}, which is truncated; send the whole file")
    return data
