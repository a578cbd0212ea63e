"""What class_accuracy.png tells: labels with mistakes, and of the others only how many there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.training.common.lettering import Lettering
from haleganada_server.training.evaluation.answers import Answers, Space
from haleganada_server.training.evaluation.class_picture import class_picture
from haleganada_server.training.evaluation.metrics import Measured

EACH = 2


@dataclass
class Written(Lettering):
    """Remembers what was written, in order."""

    texts: list[str] = field(default_factory=list)

    def draw(self, canvas: Any, at: tuple[float, float], text: str, *more: Any, **options: Any) -> float:
        self.texts.append(text)
        return super().draw(canvas, at, text, *more, **options)


def told(path: Path, labels: int, wrong: int) -> list[str]:
    """All texts of a picture: two drawings of each label; of the first `wrong` labels one is taken for the next."""
    truth = np.repeat(np.arange(labels), EACH).astype(np.int32)
    top = np.full((len(truth), 5), -1, np.int32)
    top[:, 0] = truth
    top[: wrong * EACH : EACH, 0] += 1
    answers = Answers(top, np.full(len(truth), 0.9), np.ones(len(truth)))
    space = Space(tuple(f"label {i}" for i in range(labels)), labels)
    measured = Measured(space, truth, np.arange(len(truth)), answers)
    lettering = Written(Lettering.for_labels([]).plain, {}, (), True)
    class_picture(path / "picture.png", measured, measured.classes(), lettering, ("a model",))
    assert (path / "picture.png").stat().st_size > 1000
    return lettering.texts


@pytest.mark.parametrize(
    ("labels", "wrong", "named", "subtitle"),
    [
        (70, 7, 7, "The 7 labels with mistakes, of 70. "),
        (70, 1, 1, "The only label with mistakes, of 70. "),
        (70, 40, 40, "The 40 labels with mistakes, of 70. "),
        (70, 45, 40, "The worst 40 of 45 labels with mistakes, of 70. "),
        (70, 0, 0, "Every drawing of all 70 labels was recognised, 140 of them."),
        (20, 5, 20, "20 labels, 5 with mistakes, the worst first. "),
        (20, 0, 20, "Every drawing of all 20 labels was recognised, 40 of them. "),
    ],
)
def test_of_many_labels_those_with_mistakes_are_named(
    tmp_path: Path, labels: int, wrong: int, named: int, subtitle: str
) -> None:
    texts = told(tmp_path, labels, wrong)
    assert texts[1].startswith(subtitle)
    bars = [text for text in texts if text in ("1 of 2", "2 of 2")]
    assert len(bars) == named and bars.count("1 of 2") == min(wrong, named)
    assert ("How many labels have which accuracy" in texts) == (labels > 64 and wrong > 0)
