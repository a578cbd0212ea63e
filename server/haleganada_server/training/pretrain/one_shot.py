"""20-way one-shot tasks within an alphabet, in the manner of the Omniglot challenge.

`make_random_tasks` takes any characters and any two writers, careless ones included. `make_challenge_tasks` follows the
selection of the challenge's own 20 runs (Lake, Salakhutdinov and Tenenbaum 2015): four relatively typical writers of
each alphabet, and, if it has more than 20 characters, the 20 most diverse ones. Both are judged by thumbnails of the
ink alone, so that no recognizer chooses its own tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

WAYS = 20
TYPICAL_WRITERS = 4
_THUMBNAIL = 16  # pixels
Embeddings = NDArray[np.float32]
Task = tuple[Embeddings, Embeddings]
"""(support, query), each (ways, d); row i of both is character i."""
Floats = NDArray[np.float64]


def make_random_tasks(alphabets: Sequence[Embeddings], tasks: int, seed: int = 0) -> list[Task]:
    """Draw tasks from each alphabet (characters, writers, d) in turn: one writer is the support, another the query."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(tasks):
        z = alphabets[i % len(alphabets)]
        characters = rng.choice(len(z), min(WAYS, len(z)), replace=False)
        support, query = rng.choice(z.shape[1], 2, replace=False)
        out.append((z[characters, support], z[characters, query]))
    return out


def make_typical_tasks(
    alphabets: Sequence[Embeddings], rasters: Sequence[NDArray[np.uint8]], tasks: int, seed: int = 0
) -> list[Task]:
    """Like make_random_tasks, by typical writers only. rasters: of the same drawings, (characters, writers, s, s)."""
    chosen = [z[:, choose_typical_writers(make_thumbnails(x))] for z, x in zip(alphabets, rasters, strict=True)]
    return make_random_tasks(chosen, tasks, seed)


def make_challenge_tasks(alphabets: Sequence[Embeddings], rasters: Sequence[NDArray[np.uint8]]) -> list[Task]:
    """Return tasks of the most diverse characters for every ordered pair of typical writers."""
    return [
        task for z, x in zip(alphabets, rasters, strict=True) for task in _make_alphabet_tasks(z, make_thumbnails(x))
    ]


def _make_alphabet_tasks(z: Embeddings, thumbs: Floats) -> Iterator[Task]:
    characters = choose_diverse_characters(thumbs)
    for support, query in permutations(choose_typical_writers(thumbs), 2):
        yield z[characters, support], z[characters, query]


def make_thumbnails(rasters: NDArray[np.uint8]) -> Floats:
    """Shrink and blur ink (characters, writers, s, s), s a multiple of 16, to unit vectors (..., 256)."""
    *shape, side, _ = rasters.shape
    cell = side // _THUMBNAIL
    small = rasters.reshape(-1, _THUMBNAIL, cell, _THUMBNAIL, cell).mean((2, 4))
    for _ in range(2):
        wide = np.pad(small, ((0, 0), (1, 1), (1, 1)))
        rows = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
        small = rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
    flat = small.reshape(*shape, -1)
    return np.asarray(flat / np.linalg.norm(flat, axis=-1, keepdims=True))


def choose_typical_writers(thumbs: Floats, number: int = TYPICAL_WRITERS) -> list[int]:
    """Return the writers who are nearest to the median drawing over all characters."""
    distances = np.linalg.norm(thumbs - np.median(thumbs, axis=1, keepdims=True), axis=-1).mean(0)
    return [int(i) for i in distances.argsort(kind="stable")[:number]]


def choose_diverse_characters(thumbs: Floats, number: int = WAYS) -> list[int]:
    """Choose characters farthest first: the next one's mean drawing is the farthest from those already chosen."""
    means = thumbs.mean(1)
    distances = np.linalg.norm(means[:, None] - means[None], axis=-1)
    chosen = [int(distances.sum(1).argmax())]
    while len(chosen) < min(number, len(means)):
        chosen.append(int(distances[:, chosen].min(1).argmax()))
    return chosen


def cosine_error(tasks: Sequence[Task]) -> float:
    """Return the share of wrong answers by cosine similarity."""
    wrong = [(query @ support.T).argmax(1) != np.arange(len(support)) for support, query in tasks]
    return float(np.mean(np.concatenate(wrong)))
