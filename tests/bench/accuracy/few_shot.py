"""Top-1 accuracy and baselines by number of taught samples, over several splits."""

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
IMAGENET_TESTED = 400  # queries; each takes a hundred times as long as the others


@dataclass(frozen=True)
class Point:
    """Accuracy of each method on one set with one number of taught samples."""

    name: str
    shots: int
    n: int
    accuracy: dict[str, float]


def measure(recognizer: Recognizer, data: Path) -> list[Point]:
    """Measure all sets, and print each point as soon as it is known."""
    baselines: dict[str, Features] = {"pixels": features.pixels, "HOG": features.hog}
    imagenet = features.load_imagenet()
    points = []
    for load, numbers in SETS:
        handwriting = load(data)
        cache = features.DrawingCache(recognizer, handwriting.drawings)
        for shots in numbers:
            points.append(_measure_point(recognizer, handwriting, cache, shots, baselines, imagenet))
            print(f"{handwriting.name}, shots {shots}: {points[-1].accuracy}", flush=True)
    return points


def _measure_point(
    recognizer: Recognizer, handwriting: Handwriting, cache: features.DrawingCache, shots: int,
    baselines: dict[str, Features], imagenet: Features | None,
) -> Point:  # fmt: skip
    right: dict[str, list[NDArray[np.bool_]]] = {}
    for seed in range(SPLITS):
        taught, tested = handwriting.split(shots, seed)
        rasters, queries = cache.rasters(taught), cache.rasters(tested)
        labels, truth = handwriting.labels[taught], handwriting.labels[tested]
        for name, adapt in (("Haleganada", True), ("without adaptation", False)):
            prediction = predict_labels(recognizer, labels, cache.vectors(taught), cache.vectors(tested), adapt)
            right.setdefault(name, []).append(prediction == truth)
        for name, compare in baselines.items():
            prediction = features.nearest_mean(compare(rasters), labels, compare(queries))
            right.setdefault(name, []).append(prediction == truth)
        if imagenet and seed == 0 and len(rasters) <= 1000:
            few = slice(IMAGENET_TESTED)
            prediction = features.nearest_mean(imagenet(rasters), labels, imagenet(queries[few]))
            right["ImageNet"] = [prediction == truth[few]]
    accuracy = {name: float(np.concatenate(answers).mean()) for name, answers in right.items()}
    return Point(handwriting.name, shots, sum(map(len, right["Haleganada"])), accuracy)


def predict_labels(
    recognizer: Recognizer,
    labels: NDArray[np.int64],
    taught: NDArray[np.float64],
    tested: NDArray[np.float64],
    adapt: bool = True,
) -> NDArray[np.int64]:
    """Return the most probable label of each tested vector (n, k), given taught labels and vectors."""
    head = recognizer.teach(labels, taught, adapt)
    scores = np.stack([head.scores(vector)[:-1] for vector in tested])
    return np.array([int(head.labels[i]) for i in scores.argmax(1)])


def make_table(points: list[Point]) -> Table:
    """Return a table with a row for each point."""
    methods = ("Haleganada", "without adaptation", "HOG", "pixels", "ImageNet")
    out = Table(f"Top-1 accuracy by taught samples a label, {SPLITS} splits", ("set", "shots", *methods, "n"))
    for p in points:
        cells = [f"{100 * p.accuracy[method]:.1f} %" if method in p.accuracy else "" for method in methods]
        out.add(p.name, str(p.shots), *cells, f"{p.n:,}")
    return out
