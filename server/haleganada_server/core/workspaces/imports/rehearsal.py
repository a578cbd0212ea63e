"""What the head predicts for imported samples before it learns them, found beside everybody's calls.

An import is taught in one transaction, in which nobody else can teach, so everything that takes long is done before:
the samples are predicted and learned by a copy of the head, in their order. Its losses are those of the moment at which
the import was prepared; what others teach meanwhile is not in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from haleganada_server.core.clock import now_us
from haleganada_server.core.fewshot.draft import HeadDraft
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.fewshot.posterior import compute_posterior
from haleganada_server.core.knowledge.knowledge import Knowledge

from ..changes.teaching import NewSample, Prequential


class Rehearsal:
    """A copy of a workspace's head that learns samples which the workspace does not know yet."""

    def __init__(self, get_knowledge: Callable[[], Knowledge], head_parameters: HeadParameters) -> None:
        """get_knowledge: returns the published state; asked when the first sample comes that has no recorded loss."""
        self._get_knowledge = get_knowledge
        self._parameters = head_parameters
        self._begun = False

    def learn(self, new: NewSample) -> NewSample:
        """Return the sample with what was predicted for it, and learn it."""
        if not self._begun:
            knowledge = self._get_knowledge()
            self._head, self._stale_labels, self._begun = HeadDraft(knowledge.head), knowledge.stale.labels, True
        vector = self._parameters.projection.project_one(new.embedding)
        if new.prequential is None:
            posterior = compute_posterior(self._head.freeze(), self._parameters.calibration, vector)
            prequential = Prequential(
                time_us=now_us(),
                loss=posterior.loss(new.label),
                predicted=posterior.top_label(),
                new_label=new.label not in self._head and new.label not in self._stale_labels,
                correction=False,
            )
            new = replace(new, prequential=prequential)
        self._head.teach(new.label, vector)
        return new
