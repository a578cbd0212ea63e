"""20-way one-shot recognition within Omniglot alphabets that were kept out of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from haleganada_server.training.pretrain.one_shot import (
    Embeddings,
    Task,
    cosine_error,
    make_challenge_tasks,
    make_random_tasks,
    make_typical_tasks,
)
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, load_omniglot
from numpy.typing import NDArray

from tests.bench.accuracy import features
from tests.bench.accuracy.features import Recognizer
from tests.bench.table import Table

TASKS = 600
KINDS = ("four typical writers, the 20 most diverse characters", "four typical writers", "any two of 20 writers")


def measure(recognizer: Recognizer, data: Path) -> Table:
    """Errors of the product's head, and of raw pixels and gradients by the cosine, on the same tasks."""
    rasters = _rasters(data)
    ours = [_each(recognizer.vectors, x) for x in rasters]
    others = {"HOG": features.hog, "pixels": features.pixels}
    columns = ("tasks", "Haleganada", *others, "n", *HELD_OUT_ALPHABETS)
    out = Table("20-way one-shot error within alphabets kept out of training", columns)
    baselines = {name: [_each(compare, x) for x in rasters] for name, compare in others.items()}
    for kind in range(len(KINDS)):
        tasks = _tasks(kind, ours, rasters)
        theirs = [cosine_error(_tasks(kind, z, rasters)) for z in baselines.values()]
        single = [_error(recognizer, _tasks(kind, [z], [x])) for z, x in zip(ours, rasters, strict=True)]
        n = sum(len(taught) for taught, _ in tasks)
        shares = [f"{100 * e:.2f} %" for e in (_error(recognizer, tasks), *theirs)]
        out.add(KINDS[kind], *shares, f"{n:,}", *(f"{100 * e:.1f} %" for e in single))
    return out


def errors(recognizer: Recognizer, data: Path) -> list[float]:
    """The product's head alone, for each of KINDS."""
    rasters = _rasters(data)
    vectors = [_each(recognizer.vectors, x) for x in rasters]
    return [_error(recognizer, _tasks(kind, vectors, rasters)) for kind in range(len(KINDS))]


def mistakes(recognizer: Recognizer, data: Path) -> list[NDArray[np.uint8]]:
    """Each mistake of the first kind of tasks as (3, 128, 128) rasters: what was taught, what was asked, and what that
    was taken for.
    """
    rasters = _rasters(data)
    tasks = _tasks(0, [_each(recognizer.vectors, x) for x in rasters], rasters)
    shown = make_challenge_tasks([x.astype(np.float32) for x in rasters], rasters)  # the same tasks, as drawings
    out = []
    for task, (taught, asked) in zip(tasks, shown, strict=True):
        for i, guess in enumerate(_guesses(recognizer, task)):
            if guess != i:
                out.append(np.stack([taught[i], asked[i], taught[guess]]).astype(np.uint8))
    return out


def _rasters(data: Path) -> list[NDArray[np.uint8]]:
    """Of each held-out alphabet, (characters, writers, 128, 128)."""
    alphabets = load_omniglot(data)
    return [np.stack([features.make_product_rasters(c) for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS]


def _each(compare: features.Features, rasters: NDArray[np.uint8]) -> Embeddings:
    """(characters, writers, s, s) -> (characters, writers, f)."""
    return compare(rasters.reshape(-1, *rasters.shape[2:])).reshape(*rasters.shape[:2], -1)


def _tasks(kind: int, alphabets: list[Embeddings], rasters: list[NDArray[np.uint8]]) -> list[Task]:
    if kind == 0:
        return make_challenge_tasks(alphabets, rasters)
    if kind == 1:
        return make_typical_tasks(alphabets, rasters, TASKS)
    return make_random_tasks(alphabets, TASKS)


def _error(recognizer: Recognizer, tasks: list[Task]) -> float:
    wrong = [guess != i for task in tasks for i, guess in enumerate(_guesses(recognizer, task))]
    return float(np.mean(wrong))


def _guesses(recognizer: Recognizer, task: Task) -> list[int]:
    """Which of the taught drawings each asked one is taken for."""
    taught, asked = task
    head = recognizer.head(np.arange(len(taught)), taught.astype(np.float64))
    return [int(head.scores(vector)[:-1].argmax()) for vector in asked]
