"""Connected components: the same groups as flood filling finds."""

from __future__ import annotations

import numpy as np
from haleganada_server.vision.ink.components import label_components
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray


def fill_groups(mask: NDArray[np.bool_]) -> set[frozenset[tuple[int, int]]]:
    """Return the 8-connected groups of True cells."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    groups = set()
    while left:
        waiting, group = [left.pop()], set[tuple[int, int]]()
        while waiting:
            y, x = waiting.pop()
            group.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            waiting += near
        groups.add(frozenset(group))
    return groups


@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_the_groups_are_those_of_flood_filling(mask: NDArray[np.bool_]) -> None:
    labels = label_components(mask)
    found = {
        frozenset((int(y), int(x)) for y, x in zip(*np.nonzero(labels == number), strict=True))
        for number in range(1, labels.max() + 1)
    }
    assert np.array_equal(labels > 0, mask)
    assert found == fill_groups(mask)
