"""Calibration of the probabilities on handwriting that they were not fitted on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.core.fewshot.head import Head
from haleganada_server.training.common.metrics import area_under_roc, expected_calibration_error, reliability_bins
from numpy.typing import NDArray

from tests.bench.accuracy import features
from tests.bench.accuracy.features import Recognizer
from tests.bench.accuracy.sets import Handwriting, load_devanagari, load_kannada
from tests.bench.table import Table

SITUATIONS = ((load_kannada, 1), (load_kannada, 5), (load_devanagari, 20))
WAYS = (5, 50, 500)
LEAST_ANSWERS = 20_000
"""Enough for fifteen bins: with 2,000 answers, even perfect probabilities have a mean error of 0.03."""
LABELS_PER_SPLIT = 100  # taught, over all heads of one split of the drawings
MOST_QUERIES = 3000  # to one head
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Answers in one situation, arrays (n,).

    probability: of the best answer, which may be “unknown”. right: whether it is right. unknown: probability of
    “unknown”. untaught: whether the label was never taught.
    """

    name: str
    shots: int
    ways: int
    probability: Floats
    right: NDArray[np.bool_]
    unknown: Floats
    untaught: NDArray[np.bool_]

    @property
    def ece(self) -> float:
        """Return the expected calibration error (Naeini et al. 2015)."""
        return expected_calibration_error(self.probability, self.right)

    @property
    def least_ece(self) -> float:
        """Return the mean ECE, above 0, if each answer were right with exactly its probability."""
        rng = np.random.default_rng(0)
        outcomes = rng.random((20, len(self.probability))) < self.probability
        return float(np.mean([expected_calibration_error(self.probability, outcome) for outcome in outcomes]))

    @property
    def auroc(self) -> float:
        """Return the probability that an untaught character gets more “unknown” than a taught one."""
        return area_under_roc(self.unknown[self.untaught], self.unknown[~self.untaught])

    def bins(self) -> list[tuple[float, float, float]]:
        """Return (mean probability, accuracy, share of answers) of each nonempty bin."""
        return reliability_bins(self.probability, self.right)


def measure(recognizer: Recognizer, data: Path) -> list[Answers]:
    """Measure all situations; one query in ten has an untaught label."""
    out = []
    for load, shots in SITUATIONS:
        handwriting = load(data)
        labels, cache = len(np.unique(handwriting.labels)), features.DrawingCache(recognizer, handwriting.drawings)
        for ways in (w for w in WAYS if w <= 0.8 * labels):
            out.append(_measure_situation(recognizer, handwriting, cache, shots, ways))
    return out


def _measure_situation(
    recognizer: Recognizer, handwriting: Handwriting, cache: features.DrawingCache, shots: int, ways: int
) -> Answers:
    rng = np.random.default_rng([shots, ways])
    parts: list[tuple[Floats, NDArray[np.bool_], Floats, NDArray[np.bool_]]] = []
    for seed in itertools.count():
        if sum(len(part[0]) for part in parts) >= LEAST_ANSWERS:
            break
        taught, tested = handwriting.split(shots, seed)
        vectors = cache.vectors(taught)
        for _ in range(max(1, LABELS_PER_SPLIT // ways)):
            chosen = rng.permutation(np.unique(handwriting.labels[taught]))[:ways]
            selected = np.isin(handwriting.labels[taught], chosen)
            head = recognizer.teach(handwriting.labels[taught][selected], vectors[selected])
            queries, known = _choose_queries(handwriting.labels[tested], chosen, rng)
            rows = tested[queries]
            parts.append(_answer(recognizer, head, cache.vectors(rows), handwriting.labels[rows], known))
    probability, right, unknown, untaught = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Answers(
        name=handwriting.name,
        shots=shots,
        ways=ways,
        probability=probability,
        right=right,
        unknown=unknown,
        untaught=untaught,
    )


def _choose_queries(
    labels: NDArray[np.int64], chosen: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Choose queries, one in ten with a label that was not taught; return them and whether theirs was taught."""
    taught = np.isin(labels, chosen)
    untaught = rng.permutation(np.flatnonzero(~taught))[: MOST_QUERIES // 10]
    known = rng.permutation(np.flatnonzero(taught))[: 9 * len(untaught)]
    untaught = untaught[: max(1, len(known) // 9)]
    queries = np.concatenate([known, untaught])
    return queries, taught[queries]


def _answer(
    recognizer: Recognizer, head: Head, vectors: Floats, truth: NDArray[np.int64], known: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_], Floats, NDArray[np.bool_]]:
    p = recognizer.predict(head, vectors)
    labels = [*head.labels, "unknown"]
    expected = [str(label) if k else "unknown" for label, k in zip(truth, known, strict=True)]
    right = np.array([labels[i] == e for i, e in zip(p.argmax(1), expected, strict=True)])
    return p.max(1), right, p[:, -1], ~known


def make_table(answers: list[Answers]) -> Table:
    """Return a table with a row for each situation."""
    columns = ("set", "shots", "ways", "ECE, 15 bins", "ECE by chance", "AUROC known/unknown", "n")
    out = Table("Calibration; one query in ten has an untaught label", columns)
    for a in answers:
        metrics = (f"{value:.3f}" for value in (a.ece, a.least_ece, a.auroc))
        out.add(a.name, str(a.shots), str(a.ways), *metrics, f"{len(a.right):,}")
    return out
