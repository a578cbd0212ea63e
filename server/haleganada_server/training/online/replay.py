"""Experience replay: earlier drawings that are learned again together with each new one, so that none is forgotten.

Every class counts the same, however often it was taught.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Pool:
    """Which drawings there are of each class."""

    def __init__(self) -> None:
        self._places: list[list[int]] = []
        self._size = 0

    def __len__(self) -> int:
        """Drawings."""
        return self._size

    def add(self, place: int, target: int) -> None:
        """One more drawing, by its place among all, of the class with this number."""
        while target >= len(self._places):
            self._places.append([])
        self._places[target].append(place)
        self._size += 1

    def draw(self, size: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """Places and classes of `size` drawings, or of as many as there are if they are fewer.

        The classes that have drawings follow each other in random order, over and over, so that no class comes more
        than once more than another; from each any drawing.
        """
        size = min(size, self._size)
        known = np.array([target for target, places in enumerate(self._places) if places], np.intp)
        if not size:
            return [], []
        targets = _repeated(rng.permutation(known), size).tolist()
        return [self._places[target][int(rng.integers(len(self._places[target])))] for target in targets], targets


def _repeated(order: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    return np.resize(order, size)
