"""A script of a few letters, drawn with a shaky hand, through the product's own preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.taught_drawing import TaughtDrawing
from haleganada_server.training.online.checkpoints import Checkpoints
from haleganada_server.training.online.feature_cache import FeatureCache
from haleganada_server.training.online.initial_model import InitialModel
from haleganada_server.training.online.learner import OnlineLearner
from haleganada_server.training.online.learner_state import LearnerState
from haleganada_server.training.online.networks import OnlineNetwork
from haleganada_server.vision import dataset_raster, rasterize
from torch import Tensor

_opened: list[FeatureCache] = []
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


def draw_letter(letter: str, hand: int) -> np.ndarray:
    """Draw a letter: (64, 64) uint8."""
    rng = np.random.default_rng([LETTERS.index(letter), hand])
    x, y = (np.array(_PATHS[LETTERS.index(letter)]) + 1 + rng.normal(0, 0.5, (len(_PATHS[LETTERS.index(letter)]), 2))).T
    stroke = Stroke(tuple(x.clip(0, 12).tolist()), tuple(y.clip(0, 12).tolist()))
    return dataset_raster(rasterize(Glyph(ink=Ink((stroke,), 12, 12))))


def make_samples(script: str, shots: int = 1) -> list[TaughtDrawing]:
    """Draw each letter `shots` times, one letter after another; sample n is taught at revision n."""
    drawn = [(letter, draw_letter(letter, hand)) for letter in script for hand in range(shots)]
    return [TaughtDrawing(n, letter, raster, revision=n) for n, (letter, raster) in enumerate(drawn, 1)]


def open_features(folder: Path, network: OnlineNetwork) -> FeatureCache:
    """Open a feature cache, which is closed after the test."""
    _opened.append(FeatureCache(folder, network))
    return _opened[-1]


def close_features() -> None:
    """Close all opened feature caches."""
    while _opened:
        _opened.pop().close()


def teach(
    initial: InitialModel,
    config: OnlineConfig,
    folder: Path,
    samples: Sequence[TaughtDrawing],
    checkpoints: bool = False,
) -> OnlineLearner:
    """Return a learner that has learned these samples."""
    learner = OnlineLearner(
        initial, config, open_features(folder, initial.network), Checkpoints(folder) if checkpoints else None
    )
    learner.set_target(samples, len(samples))
    learn_all(learner)
    return learner


def learn_all(learner: OnlineLearner) -> None:
    """Learn all that remains."""
    while learner.learn_next():
        pass


def measure_recall(learner: OnlineLearner, script: str, hands: range = range(100, 110)) -> dict[str, float]:
    """Return the share of recognized drawings by other hands, by letter."""
    published = learner.published
    out = {}
    for letter in script:
        rows = published.probabilities(np.stack([draw_letter(letter, hand) for hand in hands]))
        out[letter] = float(np.mean([published.labels[row.argmax()] == letter for row in rows]))
    return out


def are_equal_states(first: LearnerState, second: LearnerState) -> bool:
    """Return whether two states are equal bit for bit: weights, moments, vocabulary, and random numbers."""
    return (first.labels, first.learned) == (second.labels, second.learned) and are_equal_tensors(
        first.collect_tensors(), second.collect_tensors()
    )


def are_equal_tensors(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Return whether two states hold the same numbers, bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
