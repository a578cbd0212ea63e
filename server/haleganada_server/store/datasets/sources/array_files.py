"""Files of NumPy that hold one array each, .npz or .npy: images, and the labels that belong to them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import PurePosixPath

from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import InvalidInput

from . import npz
from .file_tree import Tree
from .npy import KIND, Array, read_array
from .pairs import ListFile, pair_files
from .source_item import RefusedSource, SourceItem

_SUFFIXES = (".npz", ".npy")
_CHUNK_BYTES = 1 << 20


def list_array_files(names: Sequence[str]) -> list[str]:
    """Return the files that hold arrays by their names."""
    return [name for name in names if PurePosixPath(name).suffix.lower() in _SUFFIXES]


def read(tree: Tree, names: Sequence[str]) -> Iterator[SourceItem | RefusedSource]:
    """Yield the drawings of files that hold arrays. Raises InvalidInput if arrays are missing or do not match."""
    with ExitStack() as stack:
        arrays: dict[str, Array] = {}
        for name in names:
            if name.lower().endswith(".npy"):
                arrays[name] = read_array(name, partial(tree.open, name))
                continue
            file = stack.enter_context(tree.open(name))
            archive = npz.list_arrays(stack.enter_context(zip_files.open_zip(file, npz.LIMITS, KIND)))
            if len(archive.names()) == 1:
                arrays[name] = archive.get(archive.names()[0])
            else:
                yield from npz.read_arrays(archive)
        yield from _read_pairs(arrays)


def _read_pairs(arrays: dict[str, Array]) -> Iterator[SourceItem | RefusedSource]:
    images = [ListFile(name, array.shape[0]) for name, array in arrays.items() if array.image_shape]
    labels = [ListFile(name, array.shape[0]) for name, array in arrays.items() if len(array.shape) == 1]
    pairs = pair_files(images, labels, lambda name: _hash(arrays[name]))
    if len({pair.series for pair in pairs}) > 1:
        listed = ", ".join(sorted(pair.series for pair in pairs))
        raise InvalidInput("file", f"has several sets of arrays ({listed}); send one of them at a time")
    for pair in pairs:
        yield from npz.read_drawings(arrays[pair.images], arrays[pair.labels].read_table(), pair.images, part=pair.part)


def _hash(array: Array) -> bytes:
    digest = hashlib.sha256()
    with array.open() as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.digest()
