"""A matrix that many versions share: a changed copy costs only the rows near the change."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROWS = 64
"""Rows in a block. Small ones make a change cheap, large ones a product with a vector."""


class Rows:
    """An (n, k) matrix in blocks of at most ROWS rows. Immutable."""

    __slots__ = ("_count", "blocks")

    def __init__(self, blocks: tuple[Floats, ...]) -> None:
        """blocks: (ROWS, k) each, the last one (1..ROWS, k); they must not change any more."""
        self.blocks = blocks
        self._count = ROWS * (len(blocks) - 1) + len(blocks[-1]) if blocks else 0

    @classmethod
    def split(cls, matrix: Floats) -> Rows:
        """Return the rows of a matrix (n, k), which must not change any more."""
        return cls(tuple(matrix[start : start + ROWS] for start in range(0, len(matrix), ROWS)))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> Floats:
        """Return a row, (k,), 0 <= row < n."""
        return np.asarray(self.blocks[row // ROWS][row % ROWS])

    def join(self, k: int) -> Floats:
        """Return the matrix, (n, k), in one piece."""
        return np.concatenate(self.blocks) if self.blocks else np.zeros((0, k))

    def dot(self, vector: Floats) -> Floats:
        """Return the products of all rows with a vector (k,), (n,)."""
        products = np.empty(self._count)
        for start, block in self.enumerate_blocks():
            np.dot(block, vector, out=products[start : start + len(block)])
        return products

    def enumerate_blocks(self) -> Iterator[tuple[int, Floats]]:
        """Yield each block with the number of its first row."""
        return ((ROWS * number, block) for number, block in enumerate(self.blocks))


class RowsDraft:
    """Rows that are being changed: a block is copied when it is first written to."""

    def __init__(self, rows: Rows) -> None:
        self._blocks = list(rows.blocks)
        self._copied: set[int] = set()

    def write(self, row: int) -> Floats:
        """Return a row, (k,), to write to; it must exist."""
        number = row // ROWS
        if number not in self._copied:
            self._blocks[number] = self._blocks[number].copy()
            self._copied.add(number)
        return np.asarray(self._blocks[number][row % ROWS])

    def append(self, values: Floats) -> None:
        """Add a row, (k,)."""
        if self._blocks and len(self._blocks[-1]) < ROWS:
            self._blocks[-1] = np.vstack([self._blocks[-1], values])
        else:
            self._blocks.append(values[None].copy())
        self._copied.add(len(self._blocks) - 1)

    def insert(self, row: int, values: Floats) -> None:
        """Add a row, (k,), before another one; that and those behind it move down."""
        first = row // ROWS
        rest = np.insert(np.concatenate(self._blocks[first:]), row - ROWS * first, values, axis=0)
        self._blocks[first:] = Rows.split(rest).blocks
        self._copied.difference_update(range(first, len(self._blocks)))  # what was split may be shared

    def remove(self, row: int) -> None:
        """Delete a row; those behind it move up."""
        first = row // ROWS
        rest = np.delete(np.concatenate(self._blocks[first:]), row - ROWS * first, axis=0)
        self._blocks[first:] = Rows.split(rest).blocks
        self._copied.difference_update(range(first, len(self._blocks) + 1))  # what was split may be shared

    def freeze(self) -> Rows:
        """Return the rows as they are now. They share memory with the draft, see HeadDraft.freeze."""
        return Rows(tuple(self._blocks))
