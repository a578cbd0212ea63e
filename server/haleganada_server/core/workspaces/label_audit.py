"""The label audit: taught samples that are probably mislabeled, or the same drawing twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    ids, labels, embeddings = log.embeddings(embedder_hash)
    newest = slice(max(0, len(ids) - _MAX_AUDITED), None)
    samples = list(zip(ids[newest], labels[newest], strict=True))
    return LabelAudit(
        _find_suspects(samples, embeddings[newest], knowledge, head_parameters),
        _find_near_duplicates(samples, embeddings[newest]),
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
    head, found = knowledge.head.adapt(), []
    for (sample_id, label), vector in zip(samples, head_parameters.projection.project(embeddings), strict=True):
        if head.count(label) < 2 or len(head.labels) < 2:
            continue  # the only sample of its label, or only one label: nothing to compare
        scores = head.scores_without(label, vector)
        logs = head_parameters.calibration.log_probabilities(scores, head.calibration_context())
        own = logs[head.index[label]]
        logs[[head.index[label], -1]] = -np.inf
        other = int(logs.argmax())
        if logs[other] - own >= _SUSPECT_LOG_ODDS:
            found.append((own - logs[other], Suspect(sample_id, label, head.labels[other], float(np.exp(logs[other])))))
    return tuple(suspect for _, suspect in sorted(found, key=lambda pair: pair[0])[:_MAX_REPORTED])


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
