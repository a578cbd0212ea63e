"""class_accuracy.png shows labels with mistakes, and of many others only their number."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.training.common.lettering import Lettering
from haleganada_server.training.evaluation.class_picture import draw_class_accuracy
from haleganada_server.training.evaluation.metrics import Evaluation
from haleganada_server.training.evaluation.predictions import LabelSpace, Predictions

EACH = 2


@dataclass
class RecordingLettering(Lettering):
    """Records the texts that are drawn, in order."""

    texts: list[str] = field(default_factory=list)

    def draw(self, canvas: Any, at: tuple[float, float], text: str, *more: Any, **options: Any) -> float:
        self.texts.append(text)
        return super().draw(canvas, at, text, *more, **options)


def draw_and_list_texts(path: Path, labels: int, wrong: int) -> list[str]:
    """Return all texts of a picture. Each label has two drawings; one of each of the first `wrong` is mistaken."""
    truth = np.repeat(np.arange(labels), EACH).astype(np.int32)
    top = np.full((len(truth), 5), -1, np.int32)
    top[:, 0] = truth
    top[: wrong * EACH : EACH, 0] += 1
    predictions = Predictions(top, np.full(len(truth), 0.9), np.ones(len(truth)))
    space = LabelSpace(tuple(f"label {i}" for i in range(labels)), labels)
    evaluation = Evaluation(space, truth, np.arange(len(truth)), predictions)
    lettering = RecordingLettering(Lettering.for_labels([]).plain, {}, (), True)
    draw_class_accuracy(path / "picture.png", evaluation, evaluation.class_metrics(), lettering, ("a model",))
    assert (path / "picture.png").stat().st_size > 1000
    return lettering.texts


@pytest.mark.parametrize(
    ("labels", "wrong", "named", "subtitle"),
    [
        (70, 7, 7, "The 7 labels with mistakes, of 70. "),
        (70, 1, 1, "The only label with mistakes, of 70. "),
        (70, 40, 40, "The 40 labels with mistakes, of 70. "),
        (70, 45, 40, "The worst 40 of 45 labels with mistakes, of 70. "),
        (70, 0, 0, "Every drawing of all 70 labels was recognized, 140 of them."),
        (20, 5, 20, "20 labels, 5 with mistakes, the worst first. "),
        (20, 0, 20, "Every drawing of all 20 labels was recognized, 40 of them. "),
    ],
)
def test_of_many_labels_only_those_with_mistakes_are_named(
    tmp_path: Path, labels: int, wrong: int, named: int, subtitle: str
) -> None:
    texts = draw_and_list_texts(tmp_path, labels, wrong)
    assert texts[1].startswith(subtitle)
    bars = [text for text in texts if text in ("1 of 2", "2 of 2")]
    assert len(bars) == named and bars.count("1 of 2") == min(wrong, named)
    assert ("Number of labels by accuracy" in texts) == (labels > 64 and wrong > 0)
