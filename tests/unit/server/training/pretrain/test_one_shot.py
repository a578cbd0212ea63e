"""One-shot tasks: typical writers and diverse characters are chosen by their ink alone."""

from __future__ import annotations

import numpy as np
from haleganada_server.training.pretrain.one_shot import (
    choose_diverse_characters,
    choose_typical_writers,
    cosine_error,
    make_challenge_tasks,
    make_random_tasks,
    make_thumbnails,
    make_typical_tasks,
)
from numpy.typing import NDArray

CHARACTERS, WRITERS, SIDE = 26, 6, 32
CARELESS = 2


def alphabet() -> NDArray[np.uint8]:
    """Return bars at different places and angles; one writer draws everything wrongly, two characters are equal."""
    rng = np.random.default_rng(0)
    x = np.zeros((CHARACTERS, WRITERS, SIDE, SIDE), np.uint8)
    for c in range(CHARACTERS):
        for d in range(WRITERS):
            place = (c // 2 if d != CARELESS else c // 2 + 7) * 2 % (SIDE - 4)
            bar = np.s_[place : place + 3, 2 + d % 3 : 28] if c % 2 else np.s_[2 + d % 3 : 28, place : place + 3]
            x[c, d][bar] = 255
    x[25] = x[24]
    return np.where(rng.random(x.shape) < 0.02, 255, x).astype(np.uint8)


def one_hot(characters: int, writers: int) -> NDArray[np.float32]:
    return np.repeat(np.eye(characters, dtype=np.float32)[:, None], writers, axis=1)


def test_the_careless_writer_is_not_typical() -> None:
    assert CARELESS not in choose_typical_writers(make_thumbnails(alphabet()), WRITERS - 1)


def test_only_one_of_two_equal_characters_is_among_the_most_diverse() -> None:
    chosen = choose_diverse_characters(make_thumbnails(alphabet()), 20)
    assert len(set(chosen)) == 20
    assert not {24, 25} <= set(chosen)


def test_a_small_alphabet_is_used_completely() -> None:
    assert sorted(choose_diverse_characters(make_thumbnails(alphabet()[:8]), 20)) == list(range(8))


def test_challenge_tasks_pair_all_typical_writers() -> None:
    z = one_hot(CHARACTERS, WRITERS)
    tasks = make_challenge_tasks([z], [alphabet()])
    assert len(tasks) == 12
    assert all(len(support) == len(query) == 20 for support, query in tasks)
    assert cosine_error(tasks) == 0


def test_random_tasks_never_query_the_supporting_writer() -> None:
    writers = np.tile(np.arange(WRITERS, dtype=np.float32)[None, :, None], (CHARACTERS, 1, 1))
    for tasks in (make_random_tasks([writers], 50), make_typical_tasks([writers], [alphabet()], 50)):
        assert all((support != query).all() for support, query in tasks)


def test_confused_characters_are_counted() -> None:
    z = one_hot(20, WRITERS)
    z[1] = z[0]  # equal: both are recognized as the first
    assert cosine_error(make_random_tasks([z], 30)) == 1 / 20
