"""The state of a workspace at one revision. It is published as a whole: readers take a reference and never lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.confidence import Decision, decide
from haleganada_server.core.fewshot.head import Head
from haleganada_server.core.fewshot.posterior import Posterior

from .prediction import Candidate, Prediction
from .stale_samples import StaleSamples
from .variants import Variants

_SORTED_AT_ONCE = 128  # values; among more, the largest are found first


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Knowledge:
    """What follows from the log at one revision; everything in it is immutable.

    head: of the samples that the current weights have embedded so far. stale: all other samples. samples_total: of
    both. class_ids: number of each label that was ever taught; see WorkspaceLog.class_ids.
    """

    revision: int
    head: Head
    variants: Variants
    samples_total: int
    stale: StaleSamples
    class_ids: Mapping[str, int]

    @property
    def labels_known(self) -> int:
        """Number of labels with a live sample."""
        return len(self.head.labels) + self.stale.count_other_labels(self.head.index)

    def estimate_missing(self, script_labels: int) -> float:
        """Return how many labels are missing of a script that has script_labels letters, taught or not. Each is taken
        to have as many forms as those that were taught have on average.
        """
        labels = self.head.labels
        letters = self.variants.count_letters(labels)
        return (script_labels - letters) * len(labels) / letters if letters else float(script_labels)

    def count_samples(self, label: str) -> int:
        """Return the number of live samples of a label."""
        return self.head.count(label) + self.stale.labels.get(label, 0)

    def predict(self, posterior: Posterior, top_k: int, prediction_id: str) -> Prediction:
        """Return the top_k candidates with their canonical labels, and the decision."""
        if not self.head.labels:
            decision = Decision.UNKNOWN if self.stale.labels else Decision.NOTHING_TAUGHT
            return Prediction(
                candidates=(),
                unknown_probability=1.0,
                decision=decision,
                revision=self.revision,
                prediction_id=prediction_id,
            )
        known = posterior.probabilities[:-1]
        best = _find_largest(known, top_k).tolist()
        candidates = tuple(self._candidate(self.head.labels[i], known.item(i), posterior) for i in best)
        return Prediction(
            candidates=candidates,
            unknown_probability=posterior.unknown,
            decision=decide(candidates[0].canonical_probability, posterior.unknown),
            revision=self.revision,
            prediction_id=prediction_id,
            provisional=not self.head.is_adapted,
        )

    def _candidate(self, label: str, probability: float, posterior: Posterior) -> Candidate:
        forms, together = self.variants.forms(label), probability
        if len(forms) > 1:
            together = min(1.0, sum(posterior.probability(form) for form in forms if form in self.head.index))
        return Candidate(
            label=label,
            canonical=forms[0],
            probability=probability,
            canonical_probability=together,
            forms=forms,
            samples=self.count_samples(label),
            class_id=self.class_ids.get(label),
            canonical_class_id=self.class_ids.get(forms[0]),
        )


def _find_largest(values: NDArray[np.float64], number: int) -> NDArray[np.intp]:
    """Return where the largest values are, those first; of equal ones, the first."""
    number = min(number, len(values))
    if len(values) <= _SORTED_AT_ONCE:
        return np.argsort(-values, kind="stable")[:number]
    found = np.flatnonzero(values >= np.partition(values, -number)[-number])  # all that tie for the last place, too
    return found[np.argsort(-values[found], kind="stable")[:number]]
