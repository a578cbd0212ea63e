"""Batches are functions of (seed, step)."""

from __future__ import annotations

from itertools import islice

import numpy as np
from haleganada_server.training.pretrain.synthesis.batches import BatchShape, inline_batches, make_batch
from haleganada_server.training.pretrain.synthesis.classes import Families, Mixture
from haleganada_server.training.pretrain.synthesis.library import Library

SHAPE = BatchShape(families=3, family_size=5, drawings=2)


def test_a_batch_is_full_of_ink(library: Library) -> None:
    batch = make_batch(Families(library), SHAPE, seed=1, step=0)
    assert batch.shape == (15, 2, 64, 64)
    assert (batch.reshape(30, -1).max(1) > 128).all()


def test_a_step_gives_the_same_batch_from_any_start(library: Library) -> None:
    batches = list(islice(inline_batches(library, SHAPE, 1, 0), 3))
    late = next(iter(inline_batches(library, SHAPE, 1, 2)))
    np.testing.assert_array_equal(batches[2], late)
    assert (batches[0] != batches[1]).any()


def test_renderers_share_the_steps(library: Library) -> None:
    batches = list(islice(inline_batches(library, SHAPE, 1, 0), 4))
    shared = [list(islice(inline_batches(library, SHAPE, 1, i, every=2), 2)) for i in range(2)]
    np.testing.assert_array_equal(np.stack(batches), np.stack([shared[step % 2][step // 2] for step in range(4)]))


def test_seeds_differ(library: Library) -> None:
    families = Families(library)
    assert (make_batch(families, SHAPE, 1, 0) != make_batch(families, SHAPE, 2, 0)).any()


def test_every_kind_of_family_alone(library: Library) -> None:
    kinds = ("omniglot", "pens", "symbols", "fonts", "marks", "hanzi", "compositions", "english")
    for kind in kinds:
        mixture = Mixture(**{k: float(k == kind) for k in kinds})
        assert make_batch(Families(library, mixture), SHAPE, 0, 0).shape == (15, 2, 64, 64)
