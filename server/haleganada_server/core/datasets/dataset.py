"""A data set: labeled drawings, or lines with their texts, each in one of three parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.limits import DEFAULT_SPLIT_SHARE

DATASET_SIDE = 64
"""Height and width of a data set's rasters in px: the canonical raster reduced by two, so that 70,000 take 290 MB."""


class Part(IntEnum):
    """What an item is used for; the value is what is stored."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


class DatasetKind(Enum):
    """What the items of a data set are. The value is what is stored."""

    DRAWINGS = "drawings"
    """Ink rasters of single characters, each with its label."""
    LINES = "lines"
    """Pictures of lines or words, each with its text."""


class LineFormat(Enum):
    """How a source of lines is laid out. The value is used on the command line."""

    AUTO = "auto"
    """By its files; also if it is no source of lines."""
    TSV = "lines-tsv"
    IAM = "iam"
    WORDS = "words"
    ALTO = "alto"
    PAGE = "page"


class SplitRule(Enum):
    """How to split items that come without a part. The value is used on the command line."""

    AUTO = "auto"
    """By writer if every item names its writer and there are enough of them, else stratified."""
    STRATIFIED = "stratified"
    BY_WRITER = "writer"


class Orientation(Enum):
    """How to interpret the rows and columns of IDX images. The value is used on the command line."""

    AUTO = "auto"
    """Transposed if the name of the file contains “emnist”."""
    UPRIGHT = "upright"
    TRANSPOSED = "transposed"


@dataclass(frozen=True, slots=True)
class DatasetOptions:
    """How to read a data set. Shares: 0 to 0.5, of the items that come without a part. seed: of the split.
    small_letters: call letters of which capital and small form share a number by the small one. unknown_folder: the
    name of the folder whose drawings have none of the labels; "" = 999, if there is one. line_format: of a source of
    lines.
    """

    name: str
    split: SplitRule = SplitRule.AUTO
    validation_share: float = DEFAULT_SPLIT_SHARE
    test_share: float = DEFAULT_SPLIT_SHARE
    seed: int = 0
    orientation: Orientation = Orientation.AUTO
    folder_names: FolderNames = FolderNames.AUTO
    small_letters: bool = False
    unknown_folder: str = ""
    line_format: LineFormat = LineFormat.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """One item of a source, without its raster.

    item: its name in the source. label: of a drawing, "" = none of the labels; of a line its text. folder: the name
    from which its label was read, for example “65” for “A”. part: None if the source does not say. writer: of a line
    also the document or page that it is from, "" = unknown. digest: hash of its picture as it is stored, 16 bytes.
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

    rasters: (n, 64, 64) uint8, 255 = ink on 0. labels: (n,) int32, into DatasetInfo.labels, -1 = none of them. parts:
    (n,) uint8, see Part. writers: (n,) int32, -1 = unknown.
    """

    rasters: NDArray[np.uint8]
    labels: NDArray[np.int32]
    parts: NDArray[np.uint8]
    writers: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LabelCount:
    """Number of items of one label in each part."""

    label: str
    train: int
    validation: int
    test: int


NONE_UNKNOWN = LabelCount("", 0, 0, 0)
"""Counts no drawings of none of the labels."""


@dataclass(frozen=True, slots=True)
class RefusedDrawing:
    """One item that cannot be used: its name in the source, a machine-readable reason, and an explanation."""

    item: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RepeatedDrawing:
    """One item that was left out, and the kept item with the same picture and label: their names in the source.

    part: as the source says, None if it does not. kept_part: of the kept item, None if that was not recorded.
    """

    item: str
    kept: str
    part: Part | None = None
    kept_part: Part | None = None


@dataclass(frozen=True, slots=True)
class DatasetNote:
    """A caveat about a data set: a machine-readable reason, a sentence, and the labels that it concerns, sorted."""

    reason: str
    message: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """The description of a data set; the fields are those of the contract's Dataset.

    labels: in the order of their ids, sorted by code points; of lines their characters, each with the number of lines
    that have it. lines: how many there are. refused: at most 1,000 of refused_total. leaked: at most
    1,000 of those that `leaks` counts; duplicated: likewise of `duplicates`. unknown: drawings of none of the labels,
    which no other number counts. damage: why it cannot be used and what to do, "" if no damage is known; never stored.
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
    unknown: LabelCount = NONE_UNKNOWN
    damage: str = ""
    kind: DatasetKind = DatasetKind.DRAWINGS
    lines: LabelCount = NONE_UNKNOWN

    def require_sound(self) -> None:
        """Raise DataLoss if damage is known."""
        if self.damage:
            raise DataLoss(self.damage, Reason.DATASET_DAMAGED)

    def describe_for_process(self, folder: Path) -> dict[str, Any]:
        """Return what a training or evaluation process needs to know, as JSON values. folder: of the data set."""
        labels = [count.label for count in self.labels]
        entry = {"folder": str(folder.absolute()), "name": self.name, "sha256": self.sha256, "labels": labels}
        return {**entry, "kind": self.kind.value}

    def count(self, part: Part) -> int:
        """Return the number of items in a part that have a label, or of lines."""
        if self.kind is DatasetKind.LINES:
            return int(getattr(self.lines, part.name.lower()))
        return sum(getattr(label, part.name.lower()) for label in self.labels)

    @property
    def imbalance(self) -> float:
        """Training items of the largest label divided by those of the smallest; 0 without training items, and for
        lines.
        """
        counts = [label.train for label in self.labels if label.train and self.kind is DatasetKind.DRAWINGS]
        return max(counts) / min(counts) if counts else 0.0
