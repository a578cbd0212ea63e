"""A script of a few letters, drawn by hands that shake, through the product's own preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.taught_drawing import TaughtDrawing
from haleganada_server.training.online.checkpoints import Checkpoints
from haleganada_server.training.online.features import FeatureFile
from haleganada_server.training.online.learner import OnlineLearner
from haleganada_server.training.online.learner_state import LearnerState
from haleganada_server.training.online.start import Start
from haleganada_server.vision import dataset_raster, rasterize
from torch import Tensor

LETTERS = "ಅಕಗಜತನಮಸ"
_PATHS = (
    ((0, 0), (0, 9)),
    ((0, 0), (9, 9), (9, 0), (0, 9)),
    ((0, 0), (9, 0), (9, 9), (0, 9), (0, 0)),
    ((0, 9), (4, 0), (9, 9)),
    ((0, 0), (0, 9), (9, 9)),
    ((0, 0), (9, 0), (0, 9), (9, 9)),
    ((0, 4), (9, 4)),
    ((0, 0), (9, 4), (0, 9), (0, 0)),
)


def drawing(letter: str, hand: int) -> np.ndarray:
    """One drawing of a letter: (64, 64) uint8."""
    rng = np.random.default_rng([LETTERS.index(letter), hand])
    x, y = (np.array(_PATHS[LETTERS.index(letter)]) + 1 + rng.normal(0, 0.5, (len(_PATHS[LETTERS.index(letter)]), 2))).T
    stroke = Stroke(tuple(x.clip(0, 12).tolist()), tuple(y.clip(0, 12).tolist()))
    return dataset_raster(rasterize(Glyph(ink=Ink((stroke,), 12, 12))))


def lessons(script: str, shots: int = 1) -> list[TaughtDrawing]:
    """`shots` drawings of each letter, one letter after another; sample n was taught at revision n."""
    drawn = [(letter, drawing(letter, hand)) for letter in script for hand in range(shots)]
    return [TaughtDrawing(n, letter, raster, revision=n) for n, (letter, raster) in enumerate(drawn, 1)]


def taught(
    start: Start, config: OnlineConfig, folder: Path, samples: Sequence[TaughtDrawing], checkpoints: bool = False
) -> OnlineLearner:
    """A learner that has learned these."""
    learner = OnlineLearner(
        start, config, FeatureFile(folder, start.learnable), Checkpoints(folder) if checkpoints else None
    )
    learner.aim(samples, len(samples))
    finish(learner)
    return learner


def finish(learner: OnlineLearner) -> None:
    """Learn all that is left."""
    while learner.advance():
        pass


def recall(learner: OnlineLearner, script: str, hands: range = range(100, 110)) -> dict[str, float]:
    """The share of drawings by hands that taught nothing which are recognised, by letter."""
    published = learner.published
    out = {}
    for letter in script:
        rows = published.probabilities(np.stack([drawing(letter, hand) for hand in hands]))
        out[letter] = float(np.mean([published.labels[row.argmax()] == letter for row in rows]))
    return out


def same(first: LearnerState, second: LearnerState) -> bool:
    """Whether two states are equal bit for bit: weights, moments, vocabulary, and what random numbers follow from."""
    return (first.labels, first.learned) == (second.labels, second.learned) and equal(first.tensors(), second.tensors())


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether they hold the same numbers, bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
