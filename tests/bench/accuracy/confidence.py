"""Whether the probabilities can be believed, on Kannada handwriting, which they were not fitted on."""

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
from tests.bench.accuracy.sets import Handwriting, devanagari, held_out_alphabets, kannada
from tests.bench.table import Table

SITUATIONS = ((kannada, 1), (kannada, 5), (devanagari, 20))
WAYS = (5, 50, 500)
LEAST_ANSWERS = 20_000
"""Of honest probabilities, too, the mean error of fifteen bins is 0.03 where 2,000 answers are spread over them."""
LABELS_A_SPLIT = 100  # taught, over all heads that one split of the drawings makes
MOST_ASKED = 3000  # of one head
HALF_SHOTS, HALVES = (1, 5), 12
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """Answers in one situation. probability: (n,) of the first one, which may be “unknown”; right: (n,); unknown: (n,)
    its probability; untaught: (n,) whether the label was never taught.
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
        """Expected calibration error (Naeini et al. 2015)."""
        return expected_calibration_error(self.probability, self.right)

    @property
    def least_ece(self) -> float:
        """What ECE would be, in the mean, if each answer were right with just its probability; not 0."""
        rng = np.random.default_rng(0)
        draws = rng.random((20, len(self.probability))) < self.probability
        return float(np.mean([expected_calibration_error(self.probability, draw) for draw in draws]))

    @property
    def auroc(self) -> float:
        """Probability that an untaught character seems less known than a taught one."""
        return area_under_roc(self.unknown[self.untaught], self.unknown[~self.untaught])

    def bins(self) -> list[tuple[float, float, float]]:
        """(mean probability, share right, share of answers) of each bin that has any."""
        return reliability_bins(self.probability, self.right)


def measure(recognizer: Recognizer, data: Path) -> list[Answers]:
    """All situations; one question in ten is of a label that was not taught, as the probabilities assume."""
    out = []
    for load, shots in SITUATIONS:
        drawn = load(data)
        labels, prepared = len(np.unique(drawn.labels)), features.Prepared(recognizer, drawn.drawings)
        for ways in (w for w in WAYS if w <= 0.8 * labels):
            out.append(_answers(recognizer, drawn, prepared, shots, ways))
    return out


def _answers(recognizer: Recognizer, drawn: Handwriting, prepared: features.Prepared, shots: int, ways: int) -> Answers:
    rng = np.random.default_rng([shots, ways])
    parts: list[tuple[Floats, NDArray[np.bool_], Floats, NDArray[np.bool_]]] = []
    for seed in itertools.count():
        if sum(len(part[0]) for part in parts) >= LEAST_ANSWERS:
            break
        taught, tested = drawn.split(shots, seed)
        vectors = prepared.vectors(taught)
        for _ in range(max(1, LABELS_A_SPLIT // ways)):
            chosen = rng.permutation(np.unique(drawn.labels[taught]))[:ways]
            mine = np.isin(drawn.labels[taught], chosen)
            head = recognizer.head(drawn.labels[taught][mine], vectors[mine])
            asked, known = _asked(drawn.labels[tested], chosen, rng)
            rows = tested[asked]
            parts.append(_ask(recognizer, head, prepared.vectors(rows), drawn.labels[rows], known))
    probability, right, unknown, is_strange = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Answers(drawn.name, shots, ways, probability, right, unknown, is_strange)


def _asked(
    labels: NDArray[np.int64], chosen: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Which drawings are asked, one in ten of a label that was not chosen, and whether theirs was."""
    taught = np.isin(labels, chosen)
    untaught = rng.permutation(np.flatnonzero(~taught))[: MOST_ASKED // 10]
    known = rng.permutation(np.flatnonzero(taught))[: 9 * len(untaught)]
    untaught = untaught[: max(1, len(known) // 9)]
    asked = np.concatenate([known, untaught])
    return asked, taught[asked]


def _ask(
    recognizer: Recognizer, head: Head, vectors: Floats, truth: NDArray[np.int64], known: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_], Floats, NDArray[np.bool_]]:
    p = recognizer.probabilities(head, vectors)
    guess = [*head.labels, "unknown"]
    expected = [str(label) if k else "unknown" for label, k in zip(truth, known, strict=True)]
    right = np.array([guess[i] == e for i, e in zip(p.argmax(1), expected, strict=True)])
    return p.max(1), right, p[:, -1], ~known


def half_taught(recognizer: Recognizer, data: Path) -> Table:
    """Half of the labels are taught, twelve times another half; how well “unknown” tells their drawings from those of
    the other half.
    """
    out = Table("Half of the labels taught: AUROC known/unknown", ("set", *(f"{shots} taught" for shots in HALF_SHOTS)))
    alphabets = held_out_alphabets(data)
    sets = [("Omniglot, mean of six alphabets", alphabets), *((s.name, [s]) for s in (devanagari(data), kannada(data)))]
    for name, members in sets:
        pairs = [(drawn, features.Prepared(recognizer, drawn.drawings)) for drawn in members]
        values = [np.mean([_half(recognizer, *pair, shots) for pair in pairs]) for shots in HALF_SHOTS]
        out.add(name, *(f"{value:.3f}" for value in values))
    return out


def _half(recognizer: Recognizer, drawn: Handwriting, prepared: features.Prepared, shots: int) -> float:
    """Mean over many halves: it matters much whether letters that are alike are in the same one."""
    labels, areas = np.unique(drawn.labels), []
    for seed in range(HALVES):
        chosen = np.random.default_rng([shots, seed]).permutation(labels)[: len(labels) // 2]
        taught, tested = drawn.split(shots, seed)
        taught = taught[np.isin(drawn.labels[taught], chosen)]
        head = recognizer.head(drawn.labels[taught], prepared.vectors(taught))
        unknown = recognizer.probabilities(head, prepared.vectors(tested))[:, -1]
        known = np.isin(drawn.labels[tested], chosen)
        areas.append(area_under_roc(unknown[~known], unknown[known]))
    return float(np.mean(areas))


def table(answers: list[Answers]) -> Table:
    """One row a situation."""
    columns = ("set", "taught", "ways", "ECE, 15 bins", "by chance alone", "AUROC known/unknown", "n")
    out = Table("Confidence; one question in ten is of a label never taught", columns)
    for a in answers:
        figures = (f"{value:.3f}" for value in (a.ece, a.least_ece, a.auroc))
        out.add(a.name, str(a.shots), str(a.ways), *figures, f"{len(a.right):,}")
    return out
