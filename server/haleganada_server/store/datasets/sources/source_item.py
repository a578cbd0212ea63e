"""What every reader of data sets gives, and how much of it is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import DatasetNote, Part
from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.labels import normalize_label

MAX_ITEMS = 1_000_000
MAX_PIXELS = 16_000_000
"""Of one image."""
MAX_TOTAL_PIXELS = 20_000_000_000
"""A million drawings of 140 x 140 px; thousands of photos."""

Tell = Callable[[DatasetNote], None]
"""Called with what there is to know about a source."""

_PARTS = {
    "train": Part.TRAIN,
    "training": Part.TRAIN,
    "val": Part.VALIDATION,
    "valid": Part.VALIDATION,
    "validation": Part.VALIDATION,
    "test": Part.TEST,
    "testing": Part.TEST,
    "t10k": Part.TEST,
}


@dataclass(frozen=True, slots=True, eq=False)
class SourceItem:
    """One drawing with its label. item: its name in the source. folder: the name that its label was read from.

    image: the bytes of an image file, (h, w) uint8 gray values, or what was drawn. part: None if the source says
    nothing. writer: "" = not known.
    """

    item: str
    label: str
    folder: str
    image: bytes | NDArray[np.uint8] | Glyph
    part: Part | None = None
    writer: str = ""


@dataclass(frozen=True, slots=True)
class RefusedSource:
    """One item that cannot be used."""

    item: str
    error: HaleganadaError


@dataclass(frozen=True, slots=True)
class LabelName:
    """A label as the source spells it, and as it is kept; error instead, if it cannot be one."""

    folder: str
    label: str
    error: InvalidInput | None = None


def untold(_note: DatasetNote) -> None:
    """For who does not want to know."""


def label_name(folder: str, meaning: str) -> LabelName:
    """meaning: the text that `folder` stands for."""
    try:
        return LabelName(folder, normalize_label(meaning))
    except InvalidInput as error:
        return LabelName(folder, "", error)


def part_named(name: str) -> Part | None:
    """The part that a folder, a file or an entry of an array is named after; None if it is no such name."""
    return _PARTS.get(name.lower())


def require_items(count: int) -> None:
    """Raises InvalidInput for too many."""
    if count > MAX_ITEMS:
        raise InvalidInput("file", f"has {count:,} drawings; at most {MAX_ITEMS:,} are allowed, so send fewer")
