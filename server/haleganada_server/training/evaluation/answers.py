"""What recognisers answer to the drawings of a data set's part, each alone and all together.

Labels are compared by their text. All answers are rows of one list of labels, a Space: first those of the data set,
then those that only some recogniser knows and that are always wrong here.

Together they answer by the mean of their log-probabilities over the labels that all of them know.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .meter import Meter
from .recognisers import PIECE, Floats, Rasters, Recogniser

TOP = 5
_CHUNK = 128  # drawings between two looks at whether it is still wanted


@dataclass(frozen=True, slots=True)
class Space:
    """labels: all of them. own: how many of them, from the first on, are the data set's."""

    labels: tuple[str, ...]
    own: int

    @classmethod
    def of(cls, dataset_labels: Sequence[str], recognisers: Sequence[Recogniser]) -> Space:
        """The data set's labels, then all others in order of the recognisers."""
        known = [label for recogniser in recognisers for label in recogniser.labels]
        return cls(tuple(dict.fromkeys([*dataset_labels, *known])), len(dataset_labels))

    def rows(self, labels: Sequence[str]) -> NDArray[np.int32]:
        """Where labels are."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[label] for label in labels], dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """To n drawings. top: (n, 5) int32 rows of the space, best first, -1 where there are fewer labels. confidence:
    (n,) probability of the best. known: (n,) probability of all labels together, the rest is that of “unknown”.
    """

    top: NDArray[np.int32]
    confidence: NDArray[np.float64]
    known: NDArray[np.float64]

    @property
    def best(self) -> NDArray[np.int32]:
        """(n,)."""
        return self.top[:, 0]

    @staticmethod
    def of(logs: Floats, rows: NDArray[np.int32]) -> Answers:
        """logs: (n, labels) log-probabilities of the labels at these rows of the space."""
        order = np.argsort(-logs, axis=1, kind="stable")[:, :TOP]
        top = np.full((len(logs), TOP), -1, dtype=np.int32)
        top[:, : order.shape[1]] = rows[order]
        probabilities = np.exp(logs.astype(np.float64))
        return Answers(top, probabilities.max(axis=1), probabilities.sum(axis=1))

    @staticmethod
    def join(parts: Sequence[Answers]) -> Answers:
        """One after another."""
        return Answers(
            np.concatenate([part.top for part in parts]),
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.known for part in parts]),
        )


def answer_all(
    recognisers: Sequence[Recogniser], rasters: Rasters, rows: NDArray[np.intp], space: Space, pool: ThreadPoolExecutor,
    meter: Meter,
) -> list[Answers]:  # fmt: skip
    """The answers of each recogniser to rasters[rows], and last those of all together, if there are several that know
    a common label.
    """
    team = _Team.of(recognisers, space)
    parts: list[list[Answers]] = []
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    for chunk in meter.steps("evaluating", chunks, len):
        drawn, logs = rasters[chunk], []
        for recogniser in recognisers:
            meter.check()
            logs.append(_ask(recogniser, drawn, pool))
        own = [Answers.of(log, space.rows(r.labels)) for log, r in zip(logs, recognisers, strict=True)]
        parts.append([*own, Answers.of(team.joined(logs), team.rows)] if len(team.rows) else own)
    return [Answers.join(of_one) for of_one in zip(*parts, strict=True)]


def _ask(recogniser: Recogniser, rasters: Rasters, pool: ThreadPoolExecutor) -> Floats:
    """(n, 64, 64) -> (n, labels), on all cores."""
    pieces = [rasters[i : i + PIECE] for i in range(0, len(rasters), PIECE)]
    return np.concatenate(list(pool.map(recogniser.log_probabilities, pieces)))


@dataclass(frozen=True, slots=True, eq=False)
class _Team:
    """rows: in the space, of the labels that all know; none for a single recogniser. columns: the same, of each one's
    answers.
    """

    rows: NDArray[np.int32]
    columns: list[NDArray[np.int32]]

    @staticmethod
    def of(recognisers: Sequence[Recogniser], space: Space) -> _Team:
        if len(recognisers) < 2:
            return _Team(np.zeros(0, np.int32), [])
        common = set.intersection(*(set(recogniser.labels) for recogniser in recognisers))
        labels = [label for label in space.labels if label in common]
        columns = [
            np.array([position[label] for label in labels], dtype=np.int32)
            for position in ({label: i for i, label in enumerate(r.labels)} for r in recognisers)
        ]
        return _Team(space.rows(labels), columns)

    def joined(self, logs: Sequence[Floats]) -> Floats:
        """Mean log-probabilities over the common labels, made to sum to 1 again."""
        mean = np.mean([log[:, own] for log, own in zip(logs, self.columns, strict=True)], axis=0)
        return np.asarray(mean - np.logaddexp.reduce(mean, axis=1, keepdims=True), np.float32)
