"""Several models that answer together, as an evaluation measures them: by the mean of their log-probabilities over the
labels that all of them know. “Unknown” is as probable as on average for those that can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition

from .classification import ClassifierOutput

_MIN_PROBABILITY = 1e-12  # a probability of 0 would be a veto
Floats = NDArray[np.floating[Any]]


def to_logs(probabilities: Floats) -> Floats:
    """Return log-probabilities that can be averaged."""
    return np.asarray(np.log(np.maximum(probabilities, _MIN_PROBABILITY)))


def average_logs(logs: Sequence[Floats]) -> Floats:
    """Return the mean of several models' log-probabilities of the same labels, (n, labels) each, normalized."""
    mean = np.mean(logs, axis=0)
    return np.asarray(mean - np.logaddexp.reduce(mean, axis=1, keepdims=True))


def combine(answers: Sequence[ClassifierOutput]) -> ClassifierOutput:
    """Return the answer of 2 or more models to the same drawings; its model_id joins theirs with “+”. Raises
    Precondition if they have no label in common.
    """
    labels = tuple(label for label in answers[0].labels if all(label in other.index for other in answers[1:]))
    if not labels:
        raise Precondition(
            "the models have no label in common, so they cannot answer together; ask one of them alone",
            Reason.MODEL_DOES_NOT_FIT,
        )
    logs = [to_logs(answer.probabilities[:, [answer.index[label] for label in labels]]) for answer in answers]
    among = np.exp(average_logs(logs))
    telling = [answer.unknown for answer in answers if answer.unknown.any()]
    unknown = np.mean(telling, axis=0) if telling else np.zeros(len(among))
    return ClassifierOutput(
        model_id="+".join(answer.model_id for answer in answers),
        labels=labels,
        probabilities=among * (1 - unknown)[:, None],
        unknown=unknown,
        revision=min(answer.revision for answer in answers),
        index={label: column for column, label in enumerate(labels)},
    )
