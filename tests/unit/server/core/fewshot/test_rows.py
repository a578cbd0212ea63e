"""Rows behave as one matrix, and a changed copy leaves the original as it was."""

from __future__ import annotations

import numpy as np
from haleganada_server.core.fewshot.rows import ROWS, Rows, RowsDraft
from hypothesis import given
from hypothesis import strategies as st

K = 2
steps = st.lists(st.tuples(st.sampled_from(["write", "append", "remove"]), st.floats(0, 1, exclude_max=True)))


@given(st.integers(0, 3 * ROWS), steps, steps)
def test_changes_are_those_of_a_matrix(
    size: int, first: list[tuple[str, float]], then: list[tuple[str, float]]
) -> None:
    matrix = np.arange(size * K, dtype=np.float64).reshape(size, K)
    rows, versions = Rows.split(matrix.copy()), [matrix]
    kept = [rows]
    for changes in (first, then):
        draft, matrix = RowsDraft(kept[-1]), versions[-1].copy()
        for number, (kind, where) in enumerate(changes):
            row, values = int(where * len(matrix)), np.full(K, float(-number - 1))
            if kind == "append":
                draft.append(values)
                matrix = np.vstack([matrix, values])
            elif len(matrix) and kind == "write":
                draft.write(row)[:] = values
                matrix[row] = values
            elif len(matrix):
                draft.remove(row)
                matrix = np.delete(matrix, row, axis=0)
        kept.append(draft.freeze())
        versions.append(matrix)
    for found, expected in zip(kept, versions, strict=True):
        assert len(found) == len(expected)
        np.testing.assert_array_equal(found.join(K), expected)
        np.testing.assert_array_equal(found.dot(np.array([1.0, 2.0])), expected @ [1.0, 2.0])
        np.testing.assert_array_equal([found[row] for row in range(len(found))], list(expected))


def test_a_change_copies_one_block() -> None:
    rows = Rows.split(np.zeros((10 * ROWS, K)))
    draft = RowsDraft(rows)
    draft.write(3 * ROWS + 5)[:] = 1
    changed = draft.freeze()
    assert [one is other for one, other in zip(changed.blocks, rows.blocks, strict=True)].count(False) == 1
