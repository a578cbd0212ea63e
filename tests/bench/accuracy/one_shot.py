"""20-way one-shot recognition within held-out Omniglot alphabets."""

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
    """Measure errors of the product's head, and of pixels and HOG by cosine similarity, on the same tasks."""
    rasters = _load_rasters(data)
    vectors = [_embed_alphabet(recognizer.embed, x) for x in rasters]
    baselines = {"HOG": features.hog, "pixels": features.pixels}
    columns = ("tasks", "Haleganada", *baselines, "n", *HELD_OUT_ALPHABETS)
    out = Table("20-way one-shot error within held-out alphabets", columns)
    baseline_features = [[_embed_alphabet(compare, x) for x in rasters] for compare in baselines.values()]
    for kind in range(len(KINDS)):
        tasks = _make_tasks(kind, vectors, rasters)
        baseline_errors = [cosine_error(_make_tasks(kind, z, rasters)) for z in baseline_features]
        by_alphabet = [
            _measure_error(recognizer, _make_tasks(kind, [z], [x])) for z, x in zip(vectors, rasters, strict=True)
        ]
        n = sum(len(support) for support, _ in tasks)
        shares = [f"{100 * e:.2f} %" for e in (_measure_error(recognizer, tasks), *baseline_errors)]
        out.add(KINDS[kind], *shares, f"{n:,}", *(f"{100 * e:.1f} %" for e in by_alphabet))
    return out


def measure_errors(recognizer: Recognizer, data: Path) -> list[float]:
    """Measure errors of the product's head alone, for each of KINDS."""
    rasters = _load_rasters(data)
    vectors = [_embed_alphabet(recognizer.embed, x) for x in rasters]
    return [_measure_error(recognizer, _make_tasks(kind, vectors, rasters)) for kind in range(len(KINDS))]


def collect_mistakes(recognizer: Recognizer, data: Path) -> list[NDArray[np.uint8]]:
    """Return each mistake in tasks of the first kind as rasters (3, 128, 128): support, query, predicted support."""
    rasters = _load_rasters(data)
    tasks = _make_tasks(0, [_embed_alphabet(recognizer.embed, x) for x in rasters], rasters)
    drawings = make_challenge_tasks([x.astype(np.float32) for x in rasters], rasters)  # the same tasks
    out = []
    for task, (support, query) in zip(tasks, drawings, strict=True):
        for i, prediction in enumerate(_predict(recognizer, task)):
            if prediction != i:
                out.append(np.stack([support[i], query[i], support[prediction]]).astype(np.uint8))
    return out


def _load_rasters(data: Path) -> list[NDArray[np.uint8]]:
    """Load each held-out alphabet as (characters, writers, 128, 128)."""
    alphabets = load_omniglot(data)
    return [np.stack([features.make_product_rasters(c) for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS]


def _embed_alphabet(compare: features.Features, rasters: NDArray[np.uint8]) -> Embeddings:
    """Embed (characters, writers, s, s) as (characters, writers, f)."""
    return compare(rasters.reshape(-1, *rasters.shape[2:])).reshape(*rasters.shape[:2], -1)


def _make_tasks(kind: int, alphabets: list[Embeddings], rasters: list[NDArray[np.uint8]]) -> list[Task]:
    if kind == 0:
        return make_challenge_tasks(alphabets, rasters)
    if kind == 1:
        return make_typical_tasks(alphabets, rasters, TASKS)
    return make_random_tasks(alphabets, TASKS)


def _measure_error(recognizer: Recognizer, tasks: list[Task]) -> float:
    wrong = [prediction != i for task in tasks for i, prediction in enumerate(_predict(recognizer, task))]
    return float(np.mean(wrong))


def _predict(recognizer: Recognizer, task: Task) -> list[int]:
    """Return the index of the predicted support for each query."""
    support, query = task
    head = recognizer.teach(np.arange(len(support)), support.astype(np.float64))
    return [int(head.scores(vector)[:-1].argmax()) for vector in query]
