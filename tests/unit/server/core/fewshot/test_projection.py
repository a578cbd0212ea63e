"""Many embeddings are projected at once to exactly the vectors that each of them has alone."""

from __future__ import annotations

import numpy as np
from haleganada_server.core.fewshot.projection import Projection
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

GRID = 2.0**12


def world(seed: int, dimensions: int, size: float, rows: int) -> tuple[Projection, NDArray[np.float32]]:
    """Return a projection and embeddings whose numbers are about `size` large."""
    rng = np.random.default_rng(seed)
    mean, matrix = rng.normal(size=dimensions), rng.normal(size=(dimensions, dimensions))
    projection = Projection(mean, matrix, np.ones(dimensions))
    return projection, (rng.normal(size=(rows, dimensions)) * size).astype(np.float32)


def one_by_one(projection: Projection, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.array([projection.project_one(embedding) for embedding in embeddings])


@given(st.integers(0, 10**6), st.integers(1, 70), st.floats(-6, 12), st.integers(1, 40))
def test_together_as_alone(seed: int, dimensions: int, magnitude: float, rows: int) -> None:
    projection, embeddings = world(seed, dimensions, 10.0**magnitude, rows)
    np.testing.assert_array_equal(projection.project(embeddings), one_by_one(projection, embeddings))


def test_numbers_that_a_product_of_matrices_rounds_otherwise() -> None:
    """Large numbers lie so far apart that the order of additions shows in the grid."""
    projection, embeddings = world(0, 256, 1e8, 2500)
    alone = one_by_one(projection, embeddings)
    at_once = np.round((embeddings.astype(np.float64) - projection.mean) @ projection.matrix * GRID) / GRID
    assert (at_once != alone).any(), "this test needs numbers that round differently"
    np.testing.assert_array_equal(projection.project(embeddings), alone)


def test_halfway_between_two_points_of_the_grid() -> None:
    """The mean is chosen so that one number of each row lies within an unlucky rounding of a boundary."""
    for seed in range(50):
        projection, embeddings = world(seed, 64, 1.0, 3)
        exact = (embeddings[0].astype(np.float64) - projection.mean) @ projection.matrix
        shift = (np.floor(exact[0] * GRID) + 0.5) / GRID - exact[0]
        moved = projection.mean - shift * np.linalg.solve(projection.matrix.T, np.eye(64)[0])
        unlucky = Projection(moved, projection.matrix, projection.between)
        np.testing.assert_array_equal(unlucky.project(embeddings), one_by_one(unlucky, embeddings))


def test_no_embeddings() -> None:
    assert world(0, 5, 1.0, 0)[0].project(np.zeros((0, 5), dtype=np.float32)).shape == (0, 5)
