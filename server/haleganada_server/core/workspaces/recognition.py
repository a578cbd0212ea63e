"""What a drawing is: asked of a workspace's own head, of a trained model, or of a network that learns along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import HaleganadaError, Precondition
from haleganada_server.core.fewshot.belief import believe
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.ports import Raster
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.model_names import FEW_SHOT, ONLINE
from haleganada_server.core.models.classification import Answers

from .dependencies import Tools
from .prediction_memory import PredictionMemory, Remembered

Ask = Callable[[NDArray[np.uint8]], Answers | None]
"""(n, 128, 128) rasters -> what a network makes of them; None: the workspace's own head is to answer."""


class Recognition:
    """Of one workspace. Safe from any thread."""

    def __init__(self, tools: Tools, workspace: str, present: Callable[[], Knowledge]) -> None:
        """present: gives the published state."""
        self._tools, self._workspace, self._present = tools, workspace, present
        self._predictions = PredictionMemory()

    def remembered(self, prediction_id: str) -> Remembered | None:
        """An earlier prediction, as long as it is remembered."""
        return self._predictions.get(prediction_id)

    def predict_batch(
        self, glyphs: Sequence[Glyph | HaleganadaError], top_k: int, min_revision: int | None, model: str
    ) -> list[Prediction | HaleganadaError]:
        """As Workspace.predict_batch."""
        ask = self._other_network(model)
        if ask is None:
            return self._predict_all(self._tools.reader.read_many(glyphs), top_k, self._reached(min_revision))
        seen = self._tools.reader.see_many(glyphs)  # embedded too, for Correct
        rasters = [x[1] for x in seen if not isinstance(x, HaleganadaError)]
        answers = ask(np.stack(rasters)) if rasters else None
        if answers is not None:
            return self._answered(seen, answers, top_k, min_revision)
        drawings = [x if isinstance(x, HaleganadaError) else x[0] for x in seen]
        return self._predict_all(drawings, top_k, self._reached(min_revision))

    def _predict_all(
        self, drawings: Sequence[Drawing | HaleganadaError], top_k: int, knowledge: Knowledge
    ) -> list[Prediction | HaleganadaError]:
        return [x if isinstance(x, HaleganadaError) else self._predict(x, top_k, knowledge) for x in drawings]

    def _predict(self, drawing: Drawing, top_k: int, knowledge: Knowledge) -> Prediction:
        model = self._tools.model
        belief = believe(knowledge.head.adapted(), model.calibration, model.projection.project_one(drawing.embedding))
        remembered = Remembered(drawing, belief.first(), knowledge.revision)
        return knowledge.predict(belief, top_k, self._predictions.add(remembered))

    def _other_network(self, model: str) -> Ask | None:
        """What to ask instead of the own head; None if that is to answer. Raises as predict_batch does."""
        name, models, learners = self._workspace, self._tools.models, self._tools.learners
        if model == ONLINE:
            _require_online(models.choices.name_of(name))
            return lambda rasters: _there(learners.answer(name, rasters))
        if not model and models.choices.name_of(name) == ONLINE:
            return lambda rasters: learners.answer(name, rasters)
        recogniser = models.chosen(name, model)
        if recogniser is None:
            return None
        return lambda rasters: recogniser.answer(rasters, self._present().revision)

    def _answered(
        self,
        seen: Sequence[tuple[Drawing, Raster] | HaleganadaError],
        answers: Answers,
        top_k: int,
        min_revision: int | None,
    ) -> list[Prediction | HaleganadaError]:
        """As predict_batch, given another network's answers for those that could be read."""
        _require_reached(answers.revision, min_revision)
        knowledge, numbers = self._present(), count()
        return [
            x if isinstance(x, HaleganadaError) else self._told(x[0], answers, next(numbers), knowledge, top_k)
            for x in seen
        ]

    def _told(self, drawing: Drawing, answers: Answers, number: int, knowledge: Knowledge, top_k: int) -> Prediction:
        remembered = Remembered(drawing, answers.first(number), answers.revision)
        return answers.prediction(number, knowledge, top_k, self._predictions.add(remembered))

    def _reached(self, min_revision: int | None) -> Knowledge:
        """The published state. Raises Precondition if it is older than min_revision."""
        knowledge = self._present()
        _require_reached(knowledge.revision, min_revision)
        return knowledge


def _require_reached(revision: int, min_revision: int | None) -> None:
    if min_revision is not None and revision < min_revision:
        raise Precondition(
            f"revision {min_revision} is not reached, what answers knows revision {revision}; ask for that, or wait",
            "REVISION_NOT_REACHED",
        )


def _require_online(choice: str) -> None:
    """Raises Precondition if it is not a network that learns along which this workspace answers with."""
    if choice != ONLINE:
        raise Precondition(
            f"no network learns along with this workspace; activate a model or preset with online settings, as "
            f"`haleganada models use cnn36 --online` does, or ask “{FEW_SHOT}”",
            "NO_ONLINE_NETWORK",
        )


def _there(answers: Answers | None) -> Answers:
    """Raises Precondition if there are none, where nobody else may answer."""
    if answers is None:
        raise Precondition(
            f"the network that learns along with this workspace cannot answer before it has learned two labels; until "
            f"then ask “{FEW_SHOT}”",
            "ONLINE_NOT_READY",
        )
    return answers
