"""Letters that are taught one after another: which drawings teach, and which ask."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.vision import dataset_raster
from numpy.typing import NDArray

from tests.bench.accuracy.features import Rasters, make_product_rasters
from tests.bench.accuracy.sets import Handwriting, english, kannada

SHOTS = 5
ASKED = 10
"""Drawings of each letter to ask with."""


@dataclass(frozen=True)
class Letters:
    """names: in the order of teaching. teaching: (letters, SHOTS, 128, 128), each drawing of a letter by another hand.
    asking: (letters, ASKED, 128, 128) by hands that taught nothing, or (English, whose hands are unknown) drawings
    that taught nothing.
    """

    name: str
    names: tuple[str, ...]
    teaching: Rasters
    asking: Rasters

    def lessons(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """(letter, drawing), letter after letter."""
        for letter, drawings in enumerate(self.teaching):
            for drawing in drawings:
                yield letter, drawing


def kannada_letters(data: Path, most: int) -> Letters:
    """Vowels and consonants of one code point, by 15 writers."""
    drawn = kannada(data)
    base = [i for i, name in enumerate(drawn.names) if len(name) == 1 and unicodedata.category(name) == "Lo"]
    assert drawn.writers is not None
    teachers = np.random.default_rng(0).permutation(np.unique(drawn.writers))[:SHOTS]
    return _letters("Kannada base letters", drawn, base, np.isin(drawn.writers, teachers), most)


def english_letters(data: Path, most: int) -> Letters:
    """Digits and letters; nobody knows who wrote what."""
    drawn = english(data)
    chosen = np.zeros(len(drawn.labels), bool)
    for label in np.unique(drawn.labels):
        chosen[np.random.default_rng(0).permutation(np.flatnonzero(drawn.labels == label))[:SHOTS]] = True
    return _letters("English, 62 characters", drawn, list(np.unique(drawn.labels)), chosen, most)


def small(rasters: Rasters) -> NDArray[np.uint8]:
    """(n, 128, 128) -> (n, 64, 64), what networks learn from."""
    return np.stack([dataset_raster(raster) for raster in rasters])


def _letters(name: str, drawn: Handwriting, labels: list[int], teaches: NDArray[np.bool_], most: int) -> Letters:
    """The first `most` letters, in random order, that have drawings enough."""
    rng = np.random.default_rng(1)
    names: list[str] = []
    teaching, asking = [], []
    for label in rng.permutation(labels):
        mine = drawn.labels == label
        taught, asked = np.flatnonzero(mine & teaches)[:SHOTS], rng.permutation(np.flatnonzero(mine & ~teaches))[:ASKED]
        if len(taught) == SHOTS and len(asked) == ASKED and len(names) < most:
            names.append(drawn.names[label] if drawn.names else str(label))
            teaching.append(make_product_rasters(drawn.drawings[taught]))
            asking.append(make_product_rasters(drawn.drawings[asked]))
    return Letters(f"{name}, {len(names)} taught", tuple(names), np.stack(teaching), np.stack(asking))
