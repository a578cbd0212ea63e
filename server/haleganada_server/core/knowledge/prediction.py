"""The prediction for one drawing, by whichever model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from haleganada_server.core.fewshot.confidence import Decision
from haleganada_server.core.model_names import FEW_SHOT


class Candidate(NamedTuple):
    """One label that a drawing may have.

    label: the form that was taught. canonical: the label that the form stands for (itself unless linked).
    probability and canonical_probability: 0..1; the second is the sum over all forms of the canonical label. forms:
    all taught forms of the canonical label, the canonical one first. samples: taught samples of this form. class_id:
    number of the label in its workspace, None if it was never taught there; canonical_class_id: likewise of the
    canonical label.
    """

    label: str
    canonical: str
    probability: float
    canonical_probability: float
    forms: tuple[str, ...]
    samples: int
    class_id: int | None
    canonical_class_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The prediction for one drawing. candidates: most probable first; their probabilities and unknown_probability sum
    to at most 1. model: the model that predicted: a name of model_names, or a model's id. provisional: the few-shot
    head has not adapted to its last samples yet, see Head.is_adapted. knowledge_age_s: see
    WorkspaceDirectory.measure_age_s.
    """

    candidates: tuple[Candidate, ...]
    unknown_probability: float
    decision: Decision
    revision: int
    prediction_id: str
    model: str = FEW_SHOT
    provisional: bool = False
    knowledge_age_s: float = 0.0
