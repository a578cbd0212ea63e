"""Recognizing drawings with a workspace's own head, a trained model, or the workspace's online network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.fewshot.adaptation import Floats
from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.core.fewshot.posterior import compute_posterior
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.ports import Raster
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.model_names import FEW_SHOT, ONLINE
from haleganada_server.core.models.classification import ClassifierOutput
from haleganada_server.core.models.ensemble import combine
from haleganada_server.core.outcomes import Outcome, map_ok, map_ok_batch, ok_values

from .dependencies import WorkspaceDependencies
from .prediction_memory import RememberedPrediction
from .question import Question

MAX_DRIFT = 0.1
"""Changes over samples and prior, see Head.drift, that a prediction ignores in the basis while a new one is computed.
"""
_UNADAPTED_CALLS = 3
"""Calls after which a workspace that was only opened adapts, too; one that has changed is about to anyway."""
Drawn = Sequence[tuple[Drawing, Raster]]
"""Encoded drawings, and their (128, 128) rasters."""
Classify = Callable[[Drawn], ClassifierOutput | None]
"""Drawings -> a network's answers; None: the workspace's own head is to answer."""


class Recognition:
    """Predicts for one workspace. Safe from any thread."""

    def __init__(
        self,
        dependencies: WorkspaceDependencies,
        workspace: str,
        published: Callable[[], Knowledge],
        adapt: Callable[[], Knowledge],
        adapt_later: Callable[[], None],
        reach: Callable[[int, Cancellation], None],
    ) -> None:
        """published: returns the published state. adapt: the same with a head that has adapted to all of it.
        adapt_later: lets that be done in the background. reach: see WorkspaceState.reach.
        """
        self._dependencies, self._workspace, self._published, self._adapt = dependencies, workspace, published, adapt
        self._adapt_later, self._unadapted_calls, self._reach = adapt_later, 0, reach
        self._predictions = dependencies.predictions

    def find_prediction(self, prediction_id: str) -> RememberedPrediction | None:
        """Return an earlier prediction, as long as it is remembered, here or at another server. Raises Unavailable."""
        found, others = self._predictions.find(self._workspace, prediction_id), self._dependencies.others
        if found is None and others is not None:
            return others.ask(self._workspace, prediction_id)
        return found

    def predict_batch(
        self, glyphs: Sequence[Outcome[Glyph]], question: Question, cancellation: Cancellation
    ) -> list[Outcome[Prediction]]:
        """See Workspace.predict_batch."""
        if question.min_revision is not None:
            self._reach(question.min_revision, cancellation)
        found = self._predict_batch(glyphs, question, cancellation)
        if (age_s := self._dependencies.directory.measure_age_s()) > 0:
            return map_ok(lambda prediction: replace(prediction, knowledge_age_s=age_s), found)
        return found

    def _predict_batch(
        self, glyphs: Sequence[Outcome[Glyph]], question: Question, cancellation: Cancellation
    ) -> list[Outcome[Prediction]]:
        encoder, model = self._dependencies.encoder, question.model
        if not isinstance(model, str):
            encoded = encoder.encode_with_rasters(glyphs, cancellation)
            drawn = list(ok_values(encoded))
            together = self._ask_together(model, drawn, question) if drawn else None
            return self._predict_with_answers(encoded, together, question)
        classify = self._select_classifier(model, question)
        if classify is None:
            return self._predict_few_shot(encoder.encode_many(glyphs, cancellation), question)
        encoded = encoder.encode_with_rasters(glyphs, cancellation)  # embeddings too, for Correct
        drawn = list(ok_values(encoded))
        answers = classify(drawn) if drawn else None
        if answers is not None:
            return self._predict_with_answers(encoded, answers, question)
        return self._predict_few_shot(map_ok(lambda pair: pair[0], encoded), question)

    def _predict_few_shot(self, drawings: Sequence[Outcome[Drawing]], question: Question) -> list[Outcome[Prediction]]:
        knowledge, projection = self._find_knowledge(question), self._dependencies.head_parameters.projection
        calibration = self._calibrate(knowledge, question)

        def predict(drawing: Drawing, vector: Floats) -> Prediction:
            posterior = compute_posterior(knowledge.head, calibration, vector)
            remembered = RememberedPrediction(drawing, posterior.top_label(), knowledge.revision)
            return knowledge.predict(posterior, question.top_k, self._predictions.add(self._workspace, remembered))

        def predict_all(found: list[Drawing]) -> list[Prediction]:
            vectors = projection.project_all([drawing.embedding for drawing in found])
            return list(map(predict, found, vectors))

        return map_ok_batch(predict_all, drawings)

    def _ask_together(self, models: Sequence[str], drawn: Drawn, question: Question) -> ClassifierOutput:
        """Return what models answer together."""
        answers = []
        for model in models:
            if model == FEW_SHOT:
                answers.append(self._ask_few_shot([drawing for drawing, _ in drawn], question))
            elif (classify := self._select_classifier(model, question)) is not None:
                answers.append(_require_answers(classify(drawn)))
        return combine(answers)

    def _ask_few_shot(self, drawings: Sequence[Drawing], question: Question) -> ClassifierOutput:
        """Return the answers of the workspace's own head."""
        knowledge, projection = self._find_knowledge(question), self._dependencies.head_parameters.projection
        calibration, labels = self._calibrate(knowledge, question), knowledge.head.labels
        vectors = projection.project_all([drawing.embedding for drawing in drawings])
        found = [compute_posterior(knowledge.head, calibration, vector).probabilities for vector in vectors]
        rows = np.stack(found) if labels else np.ones((len(drawings), 1))
        return ClassifierOutput(
            model_id=FEW_SHOT,
            labels=labels,
            probabilities=rows[:, :-1],
            unknown=rows[:, -1],
            revision=knowledge.revision,
            index={label: column for column, label in enumerate(labels)},
        )

    def _ask_online(self, drawn: Drawn, question: Question) -> ClassifierOutput | None:
        """Return the answers of the network that learns online, None if there are none yet.

        It has no drawings that it did not learn from, by which a limit for “unknown” could be set. The workspace's head
        knows the same labels and is calibrated for few drawings of each, so it tells whether a drawing has none of
        them; of labels that only the model knows from which the network started, it can tell nothing.
        """
        answers = self._dependencies.learners.predict(self._workspace, _stack_rasters(drawn))
        if answers is None:
            return None
        head = self._ask_few_shot([drawing for drawing, _ in drawn], replace(question, min_revision=None))
        taught = [column for label, column in answers.index.items() if label in head.index]
        unknown = head.unknown * answers.probabilities[:, taught].sum(axis=1)
        return replace(answers, probabilities=answers.probabilities * (1 - unknown)[:, None], unknown=unknown)

    def _calibrate(self, knowledge: Knowledge, question: Question) -> Calibration:
        """Return the calibration, with the number of missing labels if the question tells how many there are in all."""
        calibration = self._dependencies.head_parameters.calibration
        if not question.script_labels:
            return calibration
        return calibration.assume_missing(knowledge.estimate_missing(question.script_labels))

    def _find_knowledge(self, question: Question) -> Knowledge:
        """Return the state to predict with. Its head has adapted to all of it if min_revision is given; otherwise its
        basis may be that of a state up to MAX_DRIFT ago, so that nobody waits for a new one after each sample.
        """
        knowledge = self._published()
        _require_reached(knowledge.revision, question.min_revision)
        head = knowledge.head
        if head.is_adapted:
            return knowledge
        if question.min_revision is not None or head.drift > MAX_DRIFT:
            return self._adapt()
        self._unadapted_calls += 1
        if self._unadapted_calls % _UNADAPTED_CALLS == 0:
            self._adapt_later()
        return knowledge

    def _select_classifier(self, model: str, question: Question) -> Classify | None:
        """Return what answers in place of the workspace's own head, or None. Raises as predict_batch does."""
        name, models = self._workspace, self._dependencies.models
        if model == ONLINE:
            _require_online(models.active_models.model_id_of(name))
            return lambda drawn: _require_answers(self._ask_online(drawn, question))
        if not model and models.active_models.model_id_of(name) == ONLINE:
            return lambda drawn: self._ask_online(drawn, question)
        predictor = models.predictor_for(name, model)
        if predictor is None:
            return None
        return lambda drawn: predictor.predict(_stack_rasters(drawn), self._published().revision)

    def _predict_with_answers(
        self,
        encoded: Sequence[Outcome[tuple[Drawing, Raster]]],
        answers: ClassifierOutput | None,
        question: Question,
    ) -> list[Outcome[Prediction]]:
        """Return predictions from another network's answers, one for each encoded drawing. answers: None if no drawing
        could be encoded.
        """
        if answers is not None:
            _require_reached(answers.revision, question.min_revision)
        knowledge, numbers = self._published(), count()

        def predict(pair: tuple[Drawing, Raster]) -> Prediction:
            assert answers is not None, "there is an answer to each drawing"
            number = next(numbers)
            remembered = RememberedPrediction(pair[0], answers.top_label(number), answers.revision)
            prediction_id = self._predictions.add(self._workspace, remembered)
            return answers.to_prediction(number, knowledge, question.top_k, prediction_id)

        return map_ok(predict, encoded)


def _stack_rasters(drawn: Drawn) -> NDArray[np.uint8]:
    """Return the (n, 128, 128) rasters of n >= 1 drawings."""
    return np.stack([raster for _, raster in drawn])


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
