"""Pages as scanners deliver them: turned, skewed, two columns beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.bench.reading.sets import Picture, Sample

_GUTTER = 40  # px between columns


@dataclass(frozen=True)
class Variant:
    """make: from pages to changed pages."""

    name: str
    make: Callable[[Sequence[Sample]], list[Sample]]


def _make_rotation(degrees: float) -> Callable[[Sequence[Sample]], list[Sample]]:
    def rotate(picture: Picture) -> Picture:
        paper = tuple(int(value) for value in np.median(picture.reshape(-1, 3)[::97], axis=0))
        page = Image.fromarray(picture).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)
        return np.asarray(page)

    return lambda samples: [Sample(sample.name, rotate(sample.picture), sample.text) for sample in samples]


def _side_by_side(samples: Sequence[Sample]) -> list[Sample]:
    """Return every two neighbors as one page of two columns."""
    pairs = zip(samples, [*samples[1:], samples[0]], strict=True)
    return [
        Sample(f"{left.name}+{right.name}", _join(left.picture, right.picture), f"{left.text}\n{right.text}")
        for left, right in pairs
    ]


def _join(left: Picture, right: Picture) -> Picture:
    left, right = _trim(left), _trim(right)
    height = max(left.shape[0], right.shape[0]) + 2 * _GUTTER
    page = np.full((height, left.shape[1] + right.shape[1] + 3 * _GUTTER, 3), 255, np.uint8)
    page[:] = np.median(left.reshape(-1, 3)[::97], axis=0)
    page[_GUTTER : _GUTTER + left.shape[0], _GUTTER : _GUTTER + left.shape[1]] = left
    x = left.shape[1] + 2 * _GUTTER
    page[_GUTTER : _GUTTER + right.shape[0], x : x + right.shape[1]] = right
    return page


def _trim(picture: Picture) -> Picture:
    """Return a page without its margins."""
    gray = picture.mean(axis=2)
    ink = gray < np.median(gray) - 60
    rows, columns = np.flatnonzero(ink.mean(axis=1) > 0.005), np.flatnonzero(ink.mean(axis=0) > 0.005)
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


VARIANTS = (
    Variant("turned by 90°", _make_rotation(90)),
    Variant("upside down", _make_rotation(180)),
    Variant("skewed by 3°", _make_rotation(3)),
    Variant("skewed by 7°", _make_rotation(-7)),
    Variant("two columns", _side_by_side),
)
