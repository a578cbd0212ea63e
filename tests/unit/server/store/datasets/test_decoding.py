"""Decoding for a data set: what is read ahead is bounded, and it ends with its caller."""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.datasets.dataset import RefusedDrawing
from haleganada_server.core.errors import Cancelled
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.store.datasets.decoding import decode_all
from haleganada_server.store.datasets.sources import SourceItem
from numpy.typing import NDArray

SIDE = 2000


class Pixels(np.ndarray):
    """An array that says when it is gone."""


def make_item(number: int, image: bytes | NDArray[np.uint8] | Glyph) -> SourceItem:
    return SourceItem(item=str(number), label="a", folder="a", image=image)


def test_few_large_arrays_are_held_at_once_even_if_all_are_refused() -> None:
    made: list[weakref.ref[Pixels]] = []
    most = 0

    def read() -> Iterator[SourceItem]:
        nonlocal most
        for number in range(24):
            pixels = np.full((SIDE, SIDE), 255, np.uint8).view(Pixels)
            made.append(weakref.ref(pixels))
            most = max(most, sum(ref() is not None for ref in made))
            yield make_item(number, pixels)

    decoded = list(decode_all(read()))
    assert len(decoded) == 24 and all(isinstance(one.outcome, RefusedDrawing) for one in decoded)
    assert most <= 10, "4 MB each, of which 24 MB may be read ahead"


def test_it_ends_when_the_caller_is_gone() -> None:
    seen, here = itertools.count(), True
    blank = np.full((64, 64), 255, np.uint8)

    def read() -> Iterator[SourceItem]:
        for _ in range(100_000):
            yield make_item(next(seen), blank)

    decoded = decode_all(read(), Cancellation(lambda: here, lambda: math.inf))
    next(decoded)
    here = False
    with pytest.raises(Cancelled):
        list(decoded)
    assert next(seen) < 1000
