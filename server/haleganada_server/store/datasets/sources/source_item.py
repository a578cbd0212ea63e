"""What every reader of data sets yields, and limits for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import DatasetNote, Part
from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.outcomes import strip_traceback

MAX_ITEMS = 1_000_000
MAX_PIXELS = 16_000_000
"""Limit for one image."""
MAX_TOTAL_PIXELS = 20_000_000_000
"""Limit for a data set: a million drawings of 140 x 140 px, or thousands of photos."""

OnNote = Callable[[DatasetNote], None]
"""Called with each caveat about a source."""

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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SourceItem:
    """One drawing with its label, "" if it has none of the labels. item: its name in the source. folder: the name from
    which its label was read.

    image: the bytes of an image file, (h, w) uint8 gray values, or a glyph. part: None if the source does not say.
    writer: "" = unknown.
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

    def __post_init__(self) -> None:
        strip_traceback(self.error)


@dataclass(frozen=True, slots=True)
class LabelName:
    """A label as spelled in the source, and normalized, "" = none of the labels; with an error if it is not valid."""

    folder: str
    label: str
    error: InvalidInput | None = None


def ignore_note(_note: DatasetNote) -> None:
    """Ignore a note."""


def make_label_name(folder: str, meaning: str) -> LabelName:
    """Normalize `meaning`, the text that `folder` stands for."""
    try:
        return LabelName(folder, normalize_label(meaning))
    except InvalidInput as error:
        return LabelName(folder, "", error)


def parse_part(name: str) -> Part | None:
    """Return the part that a folder, a file name or an array entry names; None if it names no part."""
    return _PARTS.get(name.lower())


def require_items(count: int) -> None:
    """Raise InvalidInput for too many items."""
    if count > MAX_ITEMS:
        raise InvalidInput("file", f"has {count:,} drawings; at most {MAX_ITEMS:,} are allowed, so send fewer")


def require_pixels(count: int) -> None:
    """Raise InvalidInput for too many pixels of all items together."""
    if count > MAX_TOTAL_PIXELS:
        raise InvalidInput("file", f"has over {MAX_TOTAL_PIXELS:,} pixels in total; send smaller images")
