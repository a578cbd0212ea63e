"""A data set as training loads it: arrays mapped from disk, and which items belong to which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import DATASET_SIDE, DatasetArrays, Part
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition

_DTYPES = {"rasters": np.uint8, "labels": np.int32, "parts": np.uint8, "writers": np.int32}


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What to train on. labels: in the order of their ids. name, sha256: of the data set."""

    arrays: DatasetArrays
    labels: tuple[str, ...]
    name: str = ""
    sha256: str = ""

    def part(self, part: Part) -> NDArray[np.int64]:
        """Return the items of a part that have a label, in the order of the data set."""
        return np.flatnonzero((self.arrays.parts == part) & (self.arrays.labels >= 0))

    def unknown(self, *parts: Part) -> NDArray[np.int64]:
        """Return the items of these parts that have none of the labels, in the order of the data set."""
        return np.flatnonzero(np.isin(self.arrays.parts, parts) & (self.arrays.labels < 0))

    def rasters(self, items: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return a copy of the rasters, (n, 64, 64), read from disk."""
        return self.arrays.rasters[items]

    def targets(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return label ids, (n,); -1 = none of the labels."""
        return self.arrays.labels[items].astype(np.int64)


def read_dataset(entry: Mapping[str, Any]) -> TrainingData:
    """Load the data set of a request, {"folder", "name", "sha256", "labels"}.

    Raises Precondition, reason DATASET_UNUSABLE, if its arrays are damaged.
    """
    folder, labels = Path(entry["folder"]), tuple(entry["labels"])
    try:
        arrays = DatasetArrays(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _DTYPES})
        _check(arrays, len(labels))
    except (OSError, ValueError) as error:
        raise unusable_dataset(entry, f"its files are damaged ({error}); delete it and upload it again") from error
    return TrainingData(arrays, labels, str(entry.get("name", "")), str(entry.get("sha256", "")))


def require_trainable(data: TrainingData, least: int = 1) -> None:
    """Raise Precondition, reason DATASET_UNUSABLE, if the training part has fewer than `least` items or two labels."""
    items = data.part(Part.TRAIN)
    seen = len(np.unique(data.arrays.labels[items]))
    if len(items) < max(least, 1):
        raise unusable_dataset(
            {"name": data.name}, f"its training part has {len(items)} drawings; add more and upload it again"
        )
    if seen < 2:
        raise unusable_dataset({"name": data.name}, "its training part has drawings of one label only; it needs two")


def unusable_dataset(entry: Mapping[str, Any], why: str) -> Precondition:
    """Return the error for a data set that cannot be used."""
    return Precondition(f"the data set “{entry.get('name', '')}” cannot be used: {why}", Reason.DATASET_UNUSABLE)


def _check(arrays: DatasetArrays, classes: int) -> None:
    items = len(arrays.labels)
    for name, dtype in _DTYPES.items():
        found = getattr(arrays, name)
        shape = (items, DATASET_SIDE, DATASET_SIDE) if name == "rasters" else (items,)
        if found.shape != shape or found.dtype != dtype:
            raise ValueError(f"{name}.npy holds {found.dtype} {found.shape}, not {np.dtype(dtype)} {shape}")
    if items and not -1 <= int(arrays.labels.min()) <= int(arrays.labels.max()) < classes:
        raise ValueError("labels.npy has label ids out of range")
    if items and int(arrays.parts.max()) > max(Part):
        raise ValueError("parts.npy has part ids out of range")
