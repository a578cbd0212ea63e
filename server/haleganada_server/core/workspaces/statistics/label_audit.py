"""The label audit: taught samples that are probably mislabeled, or the same drawing twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.head import Head
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.sample_log.ports import WorkspaceLog

_MAX_REPORTED = 50  # of each kind
_MAX_AUDITED = 5000  # newest samples; each costs one pass over all labels
_SUSPECT_LOG_ODDS = 5.5
"""Log odds of another label against the sample's own. With 2 % of wrong labels planted among 3,285 Kannada
samples, 98 % of them exceed it, and four fifths of the samples that exceed it were planted.
"""
_BLOCK = 512  # samples compared with all older ones at once
_SCORED = 128  # samples scored against all labels at once
_DUPLICATE_SIMILARITY = 0.995
"""Cosine of two embeddings. A drawing that was enlarged, moved or saved as JPEG stays above it in 99 of 100 cases. None
of 1,500 digits came that close to another digit by the same writer, and none of 4,000 aksharas to one of another label.
"""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A sample that a model without it recognizes as another label, with that label's probability."""

    sample_id: int
    label: str
    looks_like: str
    probability: float


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A sample and an older one that show the same drawing. similarity: cosine of their embeddings."""

    sample_id: int
    label: str
    other_sample_id: int
    other_label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """The findings, most suspect first; none if no audit was asked for."""

    suspects: tuple[Suspect, ...] = ()
    near_duplicates: tuple[NearDuplicate, ...] = ()


def audit_labels(
    log: WorkspaceLog, knowledge: Knowledge, head_parameters: HeadParameters, embedder_hash: str
) -> LabelAudit:
    """Audit the newest samples. Stale ones are skipped."""
    blocks = list(log.embeddings(embedder_hash, _MAX_AUDITED))
    if not blocks:
        return LabelAudit()
    samples = [pair for block in blocks for pair in zip(block.sample_ids, block.labels, strict=True)]
    embeddings = np.concatenate([block.embeddings for block in blocks])
    return LabelAudit(
        _find_suspects(samples, embeddings, knowledge, head_parameters), _find_near_duplicates(samples, embeddings)
    )


def _find_suspects(
    samples: list[tuple[int, str]],
    embeddings: NDArray[np.float32],
    knowledge: Knowledge,
    head_parameters: HeadParameters,
) -> tuple[Suspect, ...]:
    """Return samples that a model without them recognizes as another label by far, the widest gap first.

    Each is subtracted from its label's sum, which is exact. The gap decides, not the other label's probability: for a
    sample that resembles two labels another one may be probable too, but a wrong label explains it very badly.
    """
    head, calibration, project = knowledge.head, head_parameters.calibration, head_parameters.projection.project
    if len(head.labels) < 2:
        return ()  # nothing to compare
    temperature = calibration.temperature_in(head.calibration_context())
    audited = np.array([row for row, (_, label) in enumerate(samples) if head.count(label) >= 2], dtype=np.intp)
    gaps = np.zeros(len(samples))
    for start in range(0, len(audited), _SCORED):
        rows = audited[start : start + _SCORED]
        own, scores = _score_without_own(head, [samples[row][1] for row in rows], project(embeddings[rows]))
        own_scores = scores[np.arange(len(rows)), own]
        scores[np.arange(len(rows)), own] = -np.inf
        gaps[rows] = (scores[:, :-1].max(axis=1) - own_scores) / temperature
    reported = min(_MAX_REPORTED, int((gaps >= _SUSPECT_LOG_ODDS).sum()))
    suspects: list[int] = np.argsort(-gaps, kind="stable")[:reported].tolist()
    if not suspects:
        return ()
    own, scores = _score_without_own(head, [samples[row][1] for row in suspects], project(embeddings[suspects]))
    probabilities = calibration.probabilities(scores, head.calibration_context())
    probabilities[np.arange(len(suspects)), own] = -1.0
    others = probabilities[:, :-1].argmax(axis=1).tolist()
    return tuple(
        Suspect(*samples[row], head.labels[other], float(probabilities[number, other]))
        for number, (row, other) in enumerate(zip(suspects, others, strict=True))
    )


def _score_without_own(
    head: Head, labels: Sequence[str], vectors: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the row of each sample's label, (n,), and the scores of its vector, (n, L + 1), which the head without
    that sample gives. labels: of the samples, each with others too. vectors: (n, k).
    """
    own = np.array([head.index[label] for label in labels], dtype=np.intp)
    scores = head.score_many(vectors)
    scores[np.arange(len(own)), own] = head.score_without(labels, vectors)
    return own, scores


def _find_near_duplicates(samples: list[tuple[int, str]], embeddings: NDArray[np.float32]) -> tuple[NearDuplicate, ...]:
    """Pair each sample with its nearest older one, if the two show the same drawing."""
    found = []
    for start in range(0, len(samples), _BLOCK):
        block = embeddings[start : start + _BLOCK]
        older = np.tril(block @ embeddings[: start + len(block)].T, start - 1)
        for row in np.flatnonzero(older.max(axis=1, initial=0.0) >= _DUPLICATE_SIMILARITY).tolist():
            other = int(older[row].argmax())
            similarity = min(1.0, float(older[row, other]))
            found.append(NearDuplicate(*samples[start + row], *samples[other], similarity))
    return tuple(sorted(found, key=lambda pair: -pair.similarity)[:_MAX_REPORTED])
