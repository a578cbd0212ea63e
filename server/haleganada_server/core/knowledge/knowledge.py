"""What a workspace knows at one revision, published as a whole: readers take a reference and never lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haleganada_server.core.fewshot.confidence import Decision, decide
from haleganada_server.core.fewshot.head import Head
from haleganada_server.core.fewshot.posterior import Posterior

from .prediction import Candidate, Prediction
from .stale_samples import StaleSamples
from .variants import Variants


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """The state that one revision of the log gives; everything in it is immutable.

    head: knows the samples that the present weights have embedded by now. stale: all others. samples_total: of both.
    class_ids: number of each label that was ever taught; see WorkspaceLog.class_ids.
    """

    revision: int
    head: Head
    variants: Variants
    samples_total: int
    stale: StaleSamples
    class_ids: Mapping[str, int]

    @property
    def labels_known(self) -> int:
        """Labels of live samples."""
        return len(self.head.labels) + self.stale.labels_beyond(self.head.index)

    def samples(self, label: str) -> int:
        """Live samples of a label."""
        return self.head.count(label) + self.stale.labels.get(label, 0)

    def predict(self, posterior: Posterior, top_k: int, prediction_id: str) -> Prediction:
        """The top_k candidates with their canonical labels, and what to make of them."""
        if not self.head.labels:
            decision = Decision.UNKNOWN if self.stale.labels else Decision.NOTHING_TAUGHT
            return Prediction((), 1.0, decision, self.revision, prediction_id)
        known = posterior.probabilities[:-1]
        best = np.argsort(-known, kind="stable")[:top_k]
        candidates = tuple(self._candidate(self.head.labels[i], float(known[i]), posterior) for i in best)
        decision = decide(candidates[0].canonical_probability, posterior.unknown)
        return Prediction(candidates, posterior.unknown, decision, self.revision, prediction_id)

    def _candidate(self, label: str, probability: float, posterior: Posterior) -> Candidate:
        forms = self.variants.forms(label)
        together = sum(posterior.probability(form) for form in forms if form in self.head.index)
        return Candidate(
            label=label,
            canonical=forms[0],
            probability=probability,
            canonical_probability=min(1.0, together),
            forms=forms,
            samples=self.samples(label),
            class_id=self.class_ids.get(label),
        )
