"""Whether the probabilities can be believed, on Kannada handwriting, which they were not fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.core.head import Head
from numpy.typing import NDArray

from tests.bench.accuracy import features
from tests.bench.accuracy.features import Recogniser
from tests.bench.accuracy.sets import Handwriting, devanagari, kannada
from tests.bench.table import Table

BINS = 15
SITUATIONS = ((kannada, 1), (kannada, 5), (devanagari, 20))
WAYS = (5, 50, 500)
LEAST_ANSWERS = 2000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """Answers in one situation. probability: (n,) of the first one, which may be “unknown”; right: (n,); unknown: (n,)
    its probability; strange: (n,) whether the label was never taught.
    """

    name: str
    shots: int
    ways: int
    probability: Floats
    right: NDArray[np.bool_]
    unknown: Floats
    strange: NDArray[np.bool_]

    @property
    def ece(self) -> float:
        """Expected calibration error (Naeini et al. 2015)."""
        return sum(share * abs(accuracy - confidence) for confidence, accuracy, share in self.bins())

    @property
    def auroc(self) -> float:
        """Probability that an untaught character seems less known than a taught one."""
        a, b = self.unknown[self.strange], np.sort(self.unknown[~self.strange])
        below, up_to = np.searchsorted(b, a, "left"), np.searchsorted(b, a, "right")
        return float((below + up_to).mean() / (2 * len(b)))

    def bins(self) -> list[tuple[float, float, float]]:
        """(mean probability, share right, share of answers) of each bin that has any."""
        index = np.minimum((self.probability * BINS).astype(int), BINS - 1)
        groups = [index == i for i in np.unique(index)]
        return [(float(self.probability[g].mean()), float(self.right[g].mean()), float(g.mean())) for g in groups]


def measure(recogniser: Recogniser, data: Path) -> list[Answers]:
    """All situations; half of the questions are of labels that were not taught."""
    out = []
    for load, shots in SITUATIONS:
        drawn = load(data)
        labels = len(np.unique(drawn.labels))
        for ways in (w for w in WAYS if w <= 0.8 * labels):
            out.append(_answers(recogniser, drawn, shots, ways))
    return out


def _answers(recogniser: Recogniser, drawn: Handwriting, shots: int, ways: int) -> Answers:
    rng = np.random.default_rng([shots, ways])
    parts: list[tuple[Floats, NDArray[np.bool_], Floats, NDArray[np.bool_]]] = []
    taught, tested = drawn.split(shots, 0)
    taught_v = recogniser.vectors(features.product_rasters(drawn.drawings[taught]))
    tested_v = recogniser.vectors(features.product_rasters(drawn.drawings[tested]))
    while sum(len(part[0]) for part in parts) < LEAST_ANSWERS:
        chosen = rng.permutation(np.unique(drawn.labels[taught]))[:ways]
        mine = np.isin(drawn.labels[taught], chosen)
        head = recogniser.head(drawn.labels[taught][mine], taught_v[mine])
        known = np.isin(drawn.labels[tested], chosen)
        strange = rng.permutation(np.flatnonzero(~known))[: known.sum()]
        asked = np.concatenate([np.flatnonzero(known)[:500], strange[:500]])
        parts.append(_ask(recogniser, head, tested_v[asked], drawn.labels[tested][asked], known[asked]))
    probability, right, unknown, is_strange = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Answers(drawn.name, shots, ways, probability, right, unknown, is_strange)


def _ask(
    recogniser: Recogniser, head: Head, vectors: Floats, truth: NDArray[np.int64], known: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_], Floats, NDArray[np.bool_]]:
    p = recogniser.probabilities(head, vectors)
    guess = [*head.labels, "unknown"]
    expected = [str(label) if k else "unknown" for label, k in zip(truth, known, strict=True)]
    right = np.array([guess[i] == e for i, e in zip(p.argmax(1), expected, strict=True)])
    return p.max(1), right, p[:, -1], ~known


def table(answers: list[Answers]) -> Table:
    """One row a situation."""
    columns = ("set", "taught", "ways", "ECE, 15 bins", "AUROC known/unknown", "n")
    out = Table("Confidence; half of the questions are of labels never taught", columns)
    for a in answers:
        out.add(a.name, str(a.shots), str(a.ways), f"{a.ece:.3f}", f"{a.auroc:.3f}", f"{len(a.right):,}")
    return out
