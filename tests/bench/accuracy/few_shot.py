"""Top-1 by the number of taught samples, beside the baselines, over several splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.bench.accuracy import features
from tests.bench.accuracy.features import Features, Recognizer
from tests.bench.accuracy.sets import SETS, Handwriting
from tests.bench.table import Table

SPLITS = 3
IMAGENET_TESTED = 400  # it takes a hundred times as long as the rest


@dataclass(frozen=True)
class Point:
    """One set at one number of taught samples; shares of right answers by each way of comparing."""

    name: str
    shots: int
    n: int
    accuracy: dict[str, float]


def measure(recognizer: Recognizer, data: Path) -> list[Point]:
    """All sets, a table row for each point as it comes."""
    baselines: dict[str, Features] = {"pixels": features.pixels, "HOG": features.hog}
    middle = features.imagenet()
    points = []
    for load, numbers in SETS:
        drawn = load(data)
        prepared = features.Prepared(recognizer, drawn.drawings)
        for shots in numbers:
            points.append(_point(recognizer, drawn, prepared, shots, baselines, middle))
            print(f"{drawn.name}, {shots} taught: {points[-1].accuracy}", flush=True)
    return points


def _point(
    recognizer: Recognizer, drawn: Handwriting, prepared: features.Prepared, shots: int,
    baselines: dict[str, Features], middle: Features | None,
) -> Point:  # fmt: skip
    right: dict[str, list[NDArray[np.bool_]]] = {}
    for seed in range(SPLITS):
        taught, tested = drawn.split(shots, seed)
        rasters, asked = prepared.rasters(taught), prepared.rasters(tested)
        labels, truth = drawn.labels[taught], drawn.labels[tested]
        for name, adapt in (("Haleganada", True), ("not adapted", False)):
            guess = guessed(recognizer, labels, prepared.vectors(taught), prepared.vectors(tested), adapt)
            right.setdefault(name, []).append(guess == truth)
        for name, compare in baselines.items():
            by_mean = features.nearest_mean(compare(rasters), labels, compare(asked))
            right.setdefault(name, []).append(by_mean == truth)
        if middle and seed == 0 and len(rasters) <= 1000:
            few = slice(IMAGENET_TESTED)
            by_mean = features.nearest_mean(middle(rasters), labels, middle(asked[few]))
            right["ImageNet"] = [by_mean == truth[few]]
    accuracy = {name: float(np.concatenate(answers).mean()) for name, answers in right.items()}
    return Point(drawn.name, shots, sum(map(len, right["Haleganada"])), accuracy)


def guessed(
    recognizer: Recognizer,
    labels: NDArray[np.int64],
    taught: NDArray[np.float64],
    tested: NDArray[np.float64],
    adapt: bool = True,
) -> NDArray[np.int64]:
    """The most probable label of each tested vector (n, k), given labels and vectors that were taught."""
    head = recognizer.head(labels, taught, adapt)
    scores = np.stack([head.scores(vector)[:-1] for vector in tested])
    return np.array([int(head.labels[i]) for i in scores.argmax(1)])


def table(points: list[Point]) -> Table:
    """The points as rows."""
    ways = ("Haleganada", "not adapted", "HOG", "pixels", "ImageNet")
    out = Table(f"Top-1 by taught samples, {SPLITS} splits", ("set", "taught", *ways, "n"))
    for p in points:
        cells = [f"{100 * p.accuracy[by]:.1f} %" if by in p.accuracy else "" for by in ways]
        out.add(p.name, str(p.shots), *cells, f"{p.n:,}")
    return out
