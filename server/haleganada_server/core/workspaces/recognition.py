"""Recognizing drawings with a workspace's own head, a trained model, or the workspace's online network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.fewshot.posterior import compute_posterior
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.ports import Raster
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.model_names import FEW_SHOT, ONLINE
from haleganada_server.core.models.classification import ClassifierOutput
from haleganada_server.core.outcomes import Outcome, map_ok, ok_values

from .dependencies import WorkspaceDependencies
from .prediction_memory import PredictionMemory, RememberedPrediction

Classify = Callable[[NDArray[np.uint8]], ClassifierOutput | None]
"""(n, 128, 128) rasters -> a network's answers; None: the workspace's own head is to answer."""


class Recognition:
    """Predicts for one workspace. Safe from any thread."""

    def __init__(
        self, dependencies: WorkspaceDependencies, workspace: str, published: Callable[[], Knowledge]
    ) -> None:  # fmt: skip
        """published: returns the published state."""
        self._dependencies, self._workspace, self._published = dependencies, workspace, published
        self._predictions = PredictionMemory()

    def find_prediction(self, prediction_id: str) -> RememberedPrediction | None:
        """Return an earlier prediction, as long as it is remembered."""
        return self._predictions.get(prediction_id)

    def predict_batch(
        self, glyphs: Sequence[Outcome[Glyph]], top_k: int, min_revision: int | None, model: str
    ) -> list[Outcome[Prediction]]:
        """See Workspace.predict_batch."""
        encoder, classify = self._dependencies.encoder, self._select_classifier(model)
        if classify is None:
            return self._predict_few_shot(encoder.encode_many(glyphs), top_k, min_revision)
        encoded = encoder.encode_with_rasters(glyphs)  # embeddings too, for Correct
        rasters = [raster for _, raster in ok_values(encoded)]
        answers = classify(np.stack(rasters)) if rasters else None
        if answers is not None:
            return self._predict_with_answers(encoded, answers, top_k, min_revision)
        return self._predict_few_shot(map_ok(lambda pair: pair[0], encoded), top_k, min_revision)

    def _predict_few_shot(
        self, drawings: Sequence[Outcome[Drawing]], top_k: int, min_revision: int | None
    ) -> list[Outcome[Prediction]]:
        knowledge, parameters = self._published(), self._dependencies.head_parameters
        _require_reached(knowledge.revision, min_revision)

        def predict(drawing: Drawing) -> Prediction:
            vector = parameters.projection.project_one(drawing.embedding)
            posterior = compute_posterior(knowledge.head.adapt(), parameters.calibration, vector)
            remembered = RememberedPrediction(drawing, posterior.top_label(), knowledge.revision)
            return knowledge.predict(posterior, top_k, self._predictions.add(remembered))

        return map_ok(predict, drawings)

    def _select_classifier(self, model: str) -> Classify | None:
        """Return what answers in place of the workspace's own head, or None. Raises as predict_batch does."""
        name, models, learners = self._workspace, self._dependencies.models, self._dependencies.learners
        if model == ONLINE:
            _require_online(models.active_models.model_id_of(name))
            return lambda rasters: _require_answers(learners.predict(name, rasters))
        if not model and models.active_models.model_id_of(name) == ONLINE:
            return lambda rasters: learners.predict(name, rasters)
        predictor = models.predictor_for(name, model)
        if predictor is None:
            return None
        return lambda rasters: predictor.predict(rasters, self._published().revision)

    def _predict_with_answers(
        self,
        encoded: Sequence[Outcome[tuple[Drawing, Raster]]],
        answers: ClassifierOutput,
        top_k: int,
        min_revision: int | None,
    ) -> list[Outcome[Prediction]]:
        """Return predictions from another network's answers, one for each encoded drawing."""
        _require_reached(answers.revision, min_revision)
        knowledge, numbers = self._published(), count()

        def predict(pair: tuple[Drawing, Raster]) -> Prediction:
            number = next(numbers)
            remembered = RememberedPrediction(pair[0], answers.top_label(number), answers.revision)
            return answers.to_prediction(number, knowledge, top_k, self._predictions.add(remembered))

        return map_ok(predict, encoded)


def _require_reached(revision: int, min_revision: int | None) -> None:
    if min_revision is not None and revision < min_revision:
        raise Precondition(
            f"revision {min_revision} is not reached yet, the model knows revision {revision}; ask for that, or wait",
            Reason.REVISION_NOT_REACHED,
        )


def _require_online(active: str) -> None:
    """Raise Precondition unless the workspace's active model is its online network."""
    if active != ONLINE:
        raise Precondition(
            f"no network learns online in this workspace; activate a model or preset with online settings, as "
            f"`haleganada models use cnn36 --online` does, or use “{FEW_SHOT}”",
            Reason.NO_ONLINE_NETWORK,
        )


def _require_answers(answers: ClassifierOutput | None) -> ClassifierOutput:
    """Return the answers; raise Precondition if there are none and nothing else may answer."""
    if answers is None:
        raise Precondition(
            "this workspace's online network cannot predict before it has learned two labels; until then use "
            f"“{FEW_SHOT}”",
            Reason.ONLINE_NOT_READY,
        )
    return answers
