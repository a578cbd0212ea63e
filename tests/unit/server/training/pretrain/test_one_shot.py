"""Which tasks are asked: typical drawers and diverse characters are found by their ink alone."""

from __future__ import annotations

import numpy as np
from haleganada_server.training.pretrain.one_shot import (
    challenge_tasks,
    cosine_error,
    diverse_characters,
    random_tasks,
    thumbnails,
    typical_drawers,
    typical_tasks,
)
from numpy.typing import NDArray

CHARACTERS, DRAWERS, SIDE = 26, 6, 32
CARELESS = 2


def alphabet() -> NDArray[np.uint8]:
    """Bars of different places and directions; one drawer draws every character wrongly, two characters are twins."""
    rng = np.random.default_rng(0)
    x = np.zeros((CHARACTERS, DRAWERS, SIDE, SIDE), np.uint8)
    for c in range(CHARACTERS):
        for d in range(DRAWERS):
            place = (c // 2 if d != CARELESS else c // 2 + 7) * 2 % (SIDE - 4)
            bar = np.s_[place : place + 3, 2 + d % 3 : 28] if c % 2 else np.s_[2 + d % 3 : 28, place : place + 3]
            x[c, d][bar] = 255
    x[25] = x[24]
    return np.where(rng.random(x.shape) < 0.02, 255, x).astype(np.uint8)


def one_hot(characters: int, drawers: int) -> NDArray[np.float32]:
    return np.repeat(np.eye(characters, dtype=np.float32)[:, None], drawers, axis=1)


def test_the_careless_drawer_is_not_typical() -> None:
    assert CARELESS not in typical_drawers(thumbnails(alphabet()), DRAWERS - 1)


def test_of_twins_only_one_is_among_the_most_diverse() -> None:
    chosen = diverse_characters(thumbnails(alphabet()), 20)
    assert len(set(chosen)) == 20
    assert not {24, 25} <= set(chosen)


def test_a_small_alphabet_is_taken_whole() -> None:
    assert sorted(diverse_characters(thumbnails(alphabet()[:8]), 20)) == list(range(8))


def test_challenge_tasks_pair_every_two_typical_drawers() -> None:
    z = one_hot(CHARACTERS, DRAWERS)
    tasks = challenge_tasks([z], [alphabet()])
    assert len(tasks) == 12
    assert all(len(taught) == len(asked) == 20 for taught, asked in tasks)
    assert cosine_error(tasks) == 0


def test_random_tasks_never_ask_the_drawing_that_was_taught() -> None:
    drawers = np.tile(np.arange(DRAWERS, dtype=np.float32)[None, :, None], (CHARACTERS, 1, 1))
    for tasks in (random_tasks([drawers], 50), typical_tasks([drawers], [alphabet()], 50)):
        assert all((taught != asked).all() for taught, asked in tasks)


def test_confused_characters_are_counted() -> None:
    z = one_hot(20, DRAWERS)
    z[1] = z[0]  # twins: the first one is named for both
    assert cosine_error(random_tasks([z], 30)) == 1 / 20
