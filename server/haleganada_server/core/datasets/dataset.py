"""A data set: labeled ink rasters, each in one of three parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.limits import DEFAULT_SPLIT_SHARE

DATASET_SIDE = 64
"""Height and width in px of a data set's rasters: the canonical raster, reduced by two, which keeps 70,000 in 290
MB.
"""


class Part(IntEnum):
    """What an item is for; the value is what is stored."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


class SplitRule(Enum):
    """How items that come without a part are divided. The value is used on the command line."""

    AUTO = "auto"
    """By writer if every item tells its own and there are enough of them, else stratified."""
    STRATIFIED = "stratified"
    BY_WRITER = "writer"


class Orientation(Enum):
    """How the rows and columns of IDX images are to be understood. The value is used on the command line."""

    AUTO = "auto"
    """Transposed if the name of the file contains “emnist”."""
    UPRIGHT = "upright"
    TRANSPOSED = "transposed"


@dataclass(frozen=True, slots=True)
class DatasetOptions:
    """How to read a data set. Shares: 0 to 0.5, of the items that come without a part. seed: of the split."""

    name: str
    split: SplitRule = SplitRule.AUTO
    validation_share: float = DEFAULT_SPLIT_SHARE
    test_share: float = DEFAULT_SPLIT_SHARE
    seed: int = 0
    orientation: Orientation = Orientation.AUTO


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One item that was read, without its raster.

    item: its name in the file. folder: the name that its label was read from, for example “65” for “A”. part: None
    if its source says nothing. writer: "" = not known. digest: of the pixels of its raster, 16 bytes.
    """

    item: str
    label: str
    folder: str
    part: Part | None
    writer: str
    digest: bytes


@dataclass(frozen=True, slots=True, eq=False)
class DatasetArrays:
    """The items of a data set, read-only and mapped from disk.

    rasters: (n, 64, 64) uint8, 255 = ink on 0. labels: (n,) int32, into DatasetInfo.labels. parts: (n,) uint8, see
    Part. writers: (n,) int32, -1 = not known.
    """

    rasters: NDArray[np.uint8]
    labels: NDArray[np.int32]
    parts: NDArray[np.uint8]
    writers: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LabelCount:
    """Items of one label in each part."""

    label: str
    train: int
    validation: int
    test: int


@dataclass(frozen=True, slots=True)
class RefusedDrawing:
    """One item that could not be read: its name in the file, a stable word, and why."""

    item: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RepeatedDrawing:
    """One item that was left out, and the same picture with the same label, which was kept: their names in the file.

    part: as its source says, None if it does not. kept_part: of the other in the data set, None if that was not noted.
    """

    item: str
    kept: str
    part: Part | None = None
    kept_part: Part | None = None


@dataclass(frozen=True, slots=True)
class DatasetNote:
    """Something to know before trusting a figure: a stable word, a sentence, and the labels it is about, sorted."""

    reason: str
    message: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """All that is told of a data set; the fields are those of the contract's Dataset.

    labels: in the order of their ids, sorted by code points. refused: at most 1,000 of refused_total. leaked: at
    most 1,000 of those that `leaks` counts; duplicated: the same of `duplicates`.
    """

    dataset_id: str
    name: str
    created_us: int
    sha256: str
    labels: tuple[LabelCount, ...]
    writers: int
    refused: tuple[RefusedDrawing, ...]
    refused_total: int
    leaks: int
    duplicates: int
    bytes_on_disk: int = 0
    leaked: tuple[RepeatedDrawing, ...] = ()
    duplicated: tuple[RepeatedDrawing, ...] = ()
    notes: tuple[DatasetNote, ...] = ()

    def for_process(self, folder: Path) -> dict[str, Any]:
        """What a process that works with it is told, as JSON values. folder: where it lies."""
        labels = [count.label for count in self.labels]
        return {"folder": str(folder.absolute()), "name": self.name, "sha256": self.sha256, "labels": labels}

    def count(self, part: Part) -> int:
        """Items of a part."""
        return sum(getattr(label, part.name.lower()) for label in self.labels)

    @property
    def imbalance(self) -> float:
        """Items of the largest label to train on, over those of the smallest; 0 without items to train on."""
        counts = [label.train for label in self.labels if label.train]
        return max(counts) / min(counts) if counts else 0.0
