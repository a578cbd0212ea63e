"""Compares a data set's files with the SHA-256 in its description."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import DATASET_SIDE, DatasetInfo, DatasetKind
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.machine_errors import raise_machine_error

_ROWS = 4096
_BYTES = 16 * 2**20


def require_intact_arrays(folder: Path, info: DatasetInfo) -> None:
    """Raise DataLoss unless items, labels, texts and parts in a data set's folder are those that were written."""
    try:
        actual = _hash_lines(folder) if info.kind is DatasetKind.LINES else _hash_arrays(folder, info)
    except Exception as error:  # numpy raises many types for a damaged header
        raise_machine_error(error)
        actual = ""
    if actual != info.sha256:
        raise DataLoss(
            f"the data set “{info.name}” is damaged: its files have changed since they were written; delete it and add "
            "it again",
            Reason.DATASET_DAMAGED,
        )


def _hash_lines(folder: Path) -> str:
    """Hash as LineFolderBuilder does."""
    digest = hashlib.sha256((folder / "texts.txt").read_bytes())
    for name, kind in (("ends", "<i8"), ("parts", "u1")):
        digest.update(_map_array(folder / f"{name}.npy", kind, ()).tobytes())
    pictures = _map_array(folder / "pictures.npy", "u1", ())
    for start in range(0, len(pictures), _BYTES):
        digest.update(pictures[start : start + _BYTES].tobytes())
    return digest.hexdigest()


def _hash_arrays(folder: Path, info: DatasetInfo) -> str:
    labels = [count.label for count in info.labels]
    digest = hashlib.sha256(json.dumps(labels, ensure_ascii=False).encode())
    for name, kind in (("labels", "<i4"), ("parts", "u1")):
        numbers = _map_array(folder / f"{name}.npy", kind, ())
        digest.update(numbers.tobytes())
    rasters = _map_array(folder / "rasters.npy", "u1", (DATASET_SIDE, DATASET_SIDE))
    for start in range(0, len(rasters), _ROWS):
        digest.update(rasters[start : start + _ROWS].tobytes())
    return digest.hexdigest()


def _map_array(path: Path, kind: str, row: tuple[int, ...]) -> NDArray[Any]:
    """Map an array into memory, so that a damaged header cannot ask for more than the file has. row: the shape of one
    item. Raises ValueError if it has another kind or shape, and whatever numpy raises.
    """
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != np.dtype(kind) or array.shape[1:] != row or not array.flags.c_contiguous:
        raise ValueError(f"{path.name} has another kind or shape")
    return np.asarray(array)
