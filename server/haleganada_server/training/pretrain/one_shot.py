"""20-way one-shot tasks within an alphabet, in the manner of the Omniglot challenge.

Two kinds. `random_tasks` takes any characters and any two drawers, careless ones included. `challenge_tasks` follows
how the challenge's own 20 runs were chosen (Lake, Salakhutdinov and Tenenbaum 2015): four relatively typical drawers
of each alphabet, and, where it has more than 20 characters, the most diverse 20. Typical and diverse are told from
thumbnails of the ink alone, so that no recogniser chooses its own tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

WAYS = 20
TYPICAL_DRAWERS = 4
_THUMBNAIL = 16  # pixels
Embeddings = NDArray[np.float32]
Task = tuple[Embeddings, Embeddings]
"""(taught, asked), each (ways, d); row i of both is character i."""
Floats = NDArray[np.float64]


def random_tasks(alphabets: Sequence[Embeddings], tasks: int, seed: int = 0) -> list[Task]:
    """Going round the alphabets, each (characters, drawers, d): one drawer teaches, another one is recognised."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(tasks):
        z = alphabets[i % len(alphabets)]
        characters = rng.choice(len(z), min(WAYS, len(z)), replace=False)
        teacher, tester = rng.choice(z.shape[1], 2, replace=False)
        out.append((z[characters, teacher], z[characters, tester]))
    return out


def typical_tasks(
    alphabets: Sequence[Embeddings], rasters: Sequence[NDArray[np.uint8]], tasks: int, seed: int = 0
) -> list[Task]:
    """As random_tasks, by typical drawers only. rasters: of the same drawings, each (characters, drawers, s, s)."""
    chosen = [z[:, typical_drawers(thumbnails(x))] for z, x in zip(alphabets, rasters, strict=True)]
    return random_tasks(chosen, tasks, seed)


def challenge_tasks(alphabets: Sequence[Embeddings], rasters: Sequence[NDArray[np.uint8]]) -> list[Task]:
    """The most diverse characters, every typical drawer teaching and every other one recognised."""
    return [task for z, x in zip(alphabets, rasters, strict=True) for task in _challenge(z, thumbnails(x))]


def _challenge(z: Embeddings, thumbs: Floats) -> Iterator[Task]:
    characters = diverse_characters(thumbs)
    for teacher, tester in permutations(typical_drawers(thumbs), 2):
        yield z[characters, teacher], z[characters, tester]


def thumbnails(rasters: NDArray[np.uint8]) -> Floats:
    """(characters, drawers, s, s) ink, s a multiple of 16 -> (characters, drawers, 256): blurred, of unit length."""
    *shape, side, _ = rasters.shape
    cell = side // _THUMBNAIL
    small = rasters.reshape(-1, _THUMBNAIL, cell, _THUMBNAIL, cell).mean((2, 4))
    for _ in range(2):
        wide = np.pad(small, ((0, 0), (1, 1), (1, 1)))
        rows = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
        small = rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
    flat = small.reshape(*shape, -1)
    return np.asarray(flat / np.linalg.norm(flat, axis=-1, keepdims=True))


def typical_drawers(thumbs: Floats, number: int = TYPICAL_DRAWERS) -> list[int]:
    """The drawers who are, over all characters, nearest to the median drawing."""
    away = np.linalg.norm(thumbs - np.median(thumbs, axis=1, keepdims=True), axis=-1).mean(0)
    return [int(i) for i in away.argsort(kind="stable")[:number]]


def diverse_characters(thumbs: Floats, number: int = WAYS) -> list[int]:
    """Farthest-first: each next character is the one whose mean drawing is farthest from those chosen so far."""
    means = thumbs.mean(1)
    distances = np.linalg.norm(means[:, None] - means[None], axis=-1)
    chosen = [int(distances.sum(1).argmax())]
    while len(chosen) < min(number, len(means)):
        chosen.append(int(distances[:, chosen].min(1).argmax()))
    return chosen


def cosine_error(tasks: Sequence[Task]) -> float:
    """Share of wrong answers by the cosine."""
    wrong = [(asked @ taught.T).argmax(1) != np.arange(len(taught)) for taught, asked in tasks]
    return float(np.mean(np.concatenate(wrong)))
