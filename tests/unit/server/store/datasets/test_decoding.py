"""Decoding for a data set: what is read ahead is bounded, it ends with its caller, raster workers change nothing."""

from __future__ import annotations

import io
import itertools
import math
import os
import signal
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.datasets.dataset import RefusedDrawing
from haleganada_server.core.errors import Cancelled
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.store.datasets.decoding import decode_all
from haleganada_server.store.datasets.sources import SourceItem
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.e2e.processes import children_of, command_of
from tests.support.waiting import wait_until

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


def test_raster_workers_decode_exactly_as_the_server_and_end_with_the_data_set() -> None:
    drawings = make_drawings(700)
    seen: list[int] = []

    def read() -> Iterator[SourceItem]:
        for number, drawing in enumerate(drawings):
            if number == 600:  # of which 512 start workers
                seen.extend(wait_until(raster_workers))
            yield drawing

    decoded = list(decode_all(read()))
    assert decoded == [one for start in range(0, 700, 350) for one in decode_all(iter(drawings[start : start + 350]))]
    assert seen and not raster_workers()


def test_killed_raster_workers_cost_no_drawing() -> None:
    drawings = make_drawings(900)

    def read() -> Iterator[SourceItem]:
        for number, drawing in enumerate(drawings):
            if number in (600, 700):
                for pid in wait_until(raster_workers) if number == 600 else raster_workers():
                    os.kill(pid, signal.SIGKILL)
            yield drawing

    assert [one.outcome.item for one in decode_all(read())] == [drawing.item for drawing in drawings]


def make_drawings(count: int) -> list[SourceItem]:
    """Files, arrays and strokes, and some that are no drawing."""
    ink = Ink((Stroke((10.0, 90.0), (10.0, 80.0)),), 100, 100)
    images: list[bytes | NDArray[np.uint8] | Glyph] = [Glyph(ink=ink), b"no picture", np.full((64, 64), 255, np.uint8)]
    for width in range(2, 8):
        picture = Image.new("L", (64, 64), 255)
        ImageDraw.Draw(picture).line((10, 9 * width, 50, 60, 55, 5), 0, width)
        images += [to_png(picture), np.asarray(picture)]
    return [make_item(number, image) for number, image in zip(range(count), itertools.cycle(images), strict=False)]


def to_png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def raster_workers() -> list[int]:
    return [pid for pid in children_of(os.getpid()) if "haleganada_server.raster_worker" in command_of(pid)]
