"""Experience replay: earlier drawings that are learned again together with each new one, so that none is forgotten.

Every class has the same weight, however often it was taught.
"""

from __future__ import annotations

import numpy as np


class ReplayBuffer:
    """The drawings of each class, by their numbers."""

    def __init__(self) -> None:
        self._drawings: list[list[int]] = []
        self._size = 0

    def __len__(self) -> int:
        """Number of drawings."""
        return self._size

    def add(self, drawing: int, target: int) -> None:
        """Add the drawing with this number to a class."""
        while target >= len(self._drawings):
            self._drawings.append([])
        self._drawings[target].append(drawing)
        self._size += 1

    def sample(self, size: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """Return `size` drawings and their classes, or as many as there are if they are fewer.

        The classes that have drawings follow each other in random order, over and over, so that their counts differ by
        one at most. Each time any drawing of the class is taken.
        """
        size = min(size, self._size)
        known = np.array([target for target, drawings in enumerate(self._drawings) if drawings], np.intp)
        if not size:
            return [], []
        targets = np.resize(rng.permutation(known), size).tolist()
        return [self._drawings[target][int(rng.integers(len(self._drawings[target])))] for target in targets], targets
