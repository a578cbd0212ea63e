"""Letters that are taught in sequence, and the drawings to teach and test with."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.vision import dataset_raster
from numpy.typing import NDArray

from tests.bench.accuracy.features import Rasters, make_product_rasters
from tests.bench.accuracy.sets import Handwriting, load_english, load_kannada

SHOTS = 5
TESTED = 10
"""Test drawings of each letter."""


@dataclass(frozen=True)
class Letters:
    """names: in the order of teaching. teaching: (letters, SHOTS, 128, 128), those of a letter by different writers.
    test: (letters, TESTED, 128, 128), by other writers; for English, whose writers are unknown, other drawings.
    """

    name: str
    names: tuple[str, ...]
    teaching: Rasters
    test: Rasters

    def lessons(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield (letter, drawing), letter by letter."""
        for letter, drawings in enumerate(self.teaching):
            for drawing in drawings:
                yield letter, drawing


def load_kannada_letters(data: Path, most: int) -> Letters:
    """Load vowels and consonants of one code point, by 15 writers."""
    handwriting = load_kannada(data)
    base = [i for i, name in enumerate(handwriting.names) if len(name) == 1 and unicodedata.category(name) == "Lo"]
    assert handwriting.writers is not None
    teachers = np.random.default_rng(0).permutation(np.unique(handwriting.writers))[:SHOTS]
    return _choose_letters("Kannada base letters", handwriting, base, np.isin(handwriting.writers, teachers), most)


def load_english_letters(data: Path, most: int) -> Letters:
    """Load digits and letters by unknown writers."""
    handwriting = load_english(data)
    teaches = np.zeros(len(handwriting.labels), bool)
    for label in np.unique(handwriting.labels):
        teaches[np.random.default_rng(0).permutation(np.flatnonzero(handwriting.labels == label))[:SHOTS]] = True
    return _choose_letters("English, 62 characters", handwriting, list(np.unique(handwriting.labels)), teaches, most)


def shrink(rasters: Rasters) -> NDArray[np.uint8]:
    """Shrink rasters (n, 128, 128) to (n, 64, 64), from which networks learn."""
    return np.stack([dataset_raster(raster) for raster in rasters])


def _choose_letters(
    name: str, handwriting: Handwriting, labels: list[int], teaches: NDArray[np.bool_], most: int
) -> Letters:
    """Choose up to `most` letters with enough drawings, in random order."""
    rng = np.random.default_rng(1)
    names: list[str] = []
    teaching, test = [], []
    for label in rng.permutation(labels):
        is_letter = handwriting.labels == label
        taught, tested = (
            np.flatnonzero(is_letter & teaches)[:SHOTS],
            rng.permutation(np.flatnonzero(is_letter & ~teaches))[:TESTED],
        )
        if len(taught) == SHOTS and len(tested) == TESTED and len(names) < most:
            names.append(handwriting.names[label] if handwriting.names else str(label))
            teaching.append(make_product_rasters(handwriting.drawings[taught]))
            test.append(make_product_rasters(handwriting.drawings[tested]))
    return Letters(f"{name}, {len(names)} taught", tuple(names), np.stack(teaching), np.stack(test))
