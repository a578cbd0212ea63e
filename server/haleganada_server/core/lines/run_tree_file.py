"""Trees of runs as files: arrays in a .npz, or the compressed JSON of earlier versions."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any

import numpy as np

from .run_tree import Run, RunTree

_FORMAT, _JSON_FORMAT = 2, 1
_MOST_BYTES = 64 * 2**20
_ARRAYS = ("symbols", "counts", "first")
_ZIP = b"PK"
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)


def pack_tree(tree: RunTree, about: dict[str, Any]) -> bytes:
    """Return a tree as a file, and what else to store in it; equal trees give equal files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name in _ARRAYS:
            array = io.BytesIO()
            np.save(array, _shrink(getattr(tree, name)), allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy", _FIRST_DATE), array.getvalue(), zipfile.ZIP_DEFLATED, 9)
        text = json.dumps({"format": _FORMAT, **about})
        file.writestr(zipfile.ZipInfo("about.json", _FIRST_DATE), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack_tree(data: bytes, deepest: int) -> tuple[RunTree, dict[str, Any]]:
    """Return what pack_tree was given, also by earlier versions. deepest: symbols of the longest runs. Raises
    ValueError for anything else.
    """
    try:
        tree, about = _unpack_arrays(data) if data.startswith(_ZIP) else _unpack_json(data)
    except (OSError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, OverflowError) as error:
        raise ValueError(str(error) or "it is damaged") from error
    tree.require_sound(deepest)
    return tree, about


def _shrink(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return numbers in the smallest type that has room for them."""
    return array.astype(np.min_scalar_type(int(array.max(initial=0))))


def _unpack_arrays(data: bytes) -> tuple[RunTree, dict[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        if sum(entry.file_size for entry in file.infolist()) > _MOST_BYTES:
            raise ValueError("it is too large")
        about = _take_format(json.loads(file.read("about.json")), _FORMAT)
        arrays = [np.load(io.BytesIO(file.read(f"{name}.npy")), allow_pickle=False) for name in _ARRAYS]
    if any(array.ndim != 1 or array.dtype.kind != "u" for array in arrays):
        raise ValueError("its arrays have no counts")
    return RunTree(*(array.astype(np.uint32) for array in arrays)), about


def _unpack_json(data: bytes) -> tuple[RunTree, dict[str, Any]]:
    """Read rows of a context, -1, and pairs of what follows it and how often."""
    with gzip.open(io.BytesIO(data)) as file:
        text = file.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise ValueError("it is too large")
    about = _take_format(json.loads(text), _JSON_FORMAT)
    runs: dict[Run, int] = {}
    for row in about.pop("rows"):
        end = row.index(-1)
        for symbol, count in zip(row[end + 1 :: 2], row[end + 2 :: 2], strict=True):
            runs[(*row[:end], symbol)] = count
    return RunTree.of_runs(runs), about


def _take_format(about: dict[str, Any], known: int) -> dict[str, Any]:
    if about.pop("format") != known:
        raise ValueError("it has another format")
    return about
