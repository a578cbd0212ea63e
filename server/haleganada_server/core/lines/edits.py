"""How one sequence becomes another by insertions, deletions and replacements (Levenshtein)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Edit = tuple[str, str]
"""What was there and what is there instead; "" for nothing."""


def edit_distance(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many insertions, deletions and replacements lead from one sequence to another."""
    *_, last = _compute_rows(first, second)
    return int(last[-1])


def list_edits(first: Sequence[str], second: Sequence[str]) -> list[Edit]:
    """Return the fewest edits that lead from one sequence to another, in their order."""
    rows = list(_compute_rows(first, second))
    i, j = len(first), len(second)
    edits: list[Edit] = []
    while i or j:
        here = rows[i][j]
        if i and j and rows[i - 1][j - 1] + (first[i - 1] != second[j - 1]) == here:
            i, j = i - 1, j - 1
            if first[i] != second[j]:
                edits.append((first[i], second[j]))
        elif i and rows[i - 1][j] + 1 == here:
            i -= 1
            edits.append((first[i], ""))
        else:
            j -= 1
            edits.append(("", second[j]))
    return edits[::-1]


def _compute_rows(first: Sequence[str], second: Sequence[str]) -> Iterator[NDArray[np.intp]]:
    """Yield the distance of each beginning of the first sequence to each of the second."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys([*first, *second]))}
    target = np.array([numbers[text] for text in second], np.intp)
    steps = np.arange(len(second) + 1)
    row = steps
    yield row
    for count, text in enumerate(first, 1):
        above = np.minimum(row[1:] + 1, row[:-1] + (target != numbers[text]))
        # an insertion costs one more than what is to its left: a running minimum after the steps are taken off
        row = np.minimum.accumulate(np.concatenate([[count], above]) - steps) + steps
        yield row
