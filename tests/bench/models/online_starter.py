"""What the starter keeps while it learns new signs: python -m tests.bench.models.online_starter. Needs HALEGANADA_DATA
and the train extra; a quarter of an hour on one core.

Five drawings each of three signs of Tifinagh and of the digit 7, replay as by default. After every drawing the held-out
drawings of the labels that it knew are asked; at the end also others of the new signs, and MNIST's digits, of which its
memory has none.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from haleganada_server.config import SHIPPED_MODELS
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.taught_drawing import TaughtDrawing
from haleganada_server.training.online.feature_cache import FeatureCache
from haleganada_server.training.online.initial_model import InitialModel, load_initial_model
from haleganada_server.training.online.learner_state import LearnerState
from haleganada_server.training.pretrain.synthesis.rasters import frame_scan
from haleganada_server.training.pretrain.synthesis.sources import load_omniglot
from haleganada_server.training.starter.dataset import load_real_items
from haleganada_server.vision import dataset_raster, model_input, rasterize_gray
from numpy.typing import NDArray

from tests.bench.table import Table

SIGNS = (0, 5, 11)  # of Tifinagh
SHOTS, DIGITS = 5, 400
SEEDS = (0, 1)

Rasters = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Drawings (n, 64, 64) and what they are."""

    rasters: Rasters
    labels: tuple[str, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[NDArray[np.uint8], str]]) -> Drawn:
        """From pictures of any size, 255 = ink."""
        pictures, labels = zip(*pairs, strict=True)
        return cls(np.stack([dataset_raster(rasterize_gray(picture)) for picture in pictures]), labels)


def measure(start: InitialModel, memory: bool, data: Path) -> Table:
    """A row for each order and seed."""
    old, digits, signs = _old(data), _digits(data), _signs(data)
    if not memory:
        start = InitialModel(start.network, start.labels, start.temperature)
    out = Table(
        f"The starter learns along, {'with' if memory else 'without'} its memory",
        ("order", "before", "lowest on the way", "after", f"new signs, n = {sum(len(s.labels) - SHOTS for s in signs)}",
         "MNIST before", "after"),
    )  # fmt: skip
    for seed in SEEDS:
        for mixed in (False, True):
            cells = _one(start, old, digits, signs, seed, mixed)
            out.add("mixed" if mixed else "sign after sign", *(f"{100 * share:.1f} %" for share in cells))
    return out


def _one(start: InitialModel, old: Drawn, digits: Drawn, signs: list[Drawn], seed: int, mixed: bool) -> list[float]:
    sevens = [raster for raster, label in zip(digits.rasters, digits.labels, strict=True) if label == "7"][:SHOTS]
    lessons = [(sign.labels[0], raster) for sign in signs for raster in sign.rasters[:SHOTS]]
    lessons += [("7", raster) for raster in sevens]
    if mixed:
        lessons = [lessons[i] for i in np.random.default_rng(seed).permutation(len(lessons))]
    with tempfile.TemporaryDirectory() as folder, FeatureCache(Path(folder), start.network) as features:
        state = LearnerState(start, OnlineConfig(seed=seed), features)
        before, course = (_right(state, old), _right(state, digits)), []
        for number, (label, raster) in enumerate(lessons):
            state.learn(TaughtDrawing(number + 1, label, raster))
            course.append(_right(state, old))
        others = [_right(state, Drawn(sign.rasters[SHOTS:], sign.labels[SHOTS:])) for sign in signs]
        return [before[0], min(course), course[-1], float(np.mean(others)), before[1], _right(state, digits)]


def _right(state: LearnerState, drawn: Drawn) -> float:
    network = state.network.module.eval()
    with torch.inference_mode():
        answers = network(torch.from_numpy(model_input(drawn.rasters, 32))).argmax(1).tolist()
    return float(np.mean([state.labels[row] == label for row, label in zip(answers, drawn.labels, strict=True)]))


def _old(data: Path) -> Drawn:
    """What the starter's card calls held out."""
    return Drawn.of((frame_scan(item.ink), item.label) for item in load_real_items(data) if item.part is Part.TEST)


def _digits(data: Path) -> Drawn:
    with np.load(data / "mnist" / "mnist_28.npz") as file:
        pictures, labels = file["x_test"][:DIGITS], file["y_test"][:DIGITS].astype(str)
    return Drawn.of((frame_scan(picture), label) for picture, label in zip(pictures, labels, strict=True))


def _signs(data: Path) -> list[Drawn]:
    characters = load_omniglot(data)["Tifinagh"]
    return [Drawn.of((frame_scan(scan), f"Tifinagh {i}") for scan in characters[i]) for i in SIGNS]


def main() -> None:
    root = os.environ.get("HALEGANADA_DATA")
    if not root:
        sys.exit("set HALEGANADA_DATA to the folder with the data sets")
    torch.set_num_threads(1)
    start = load_initial_model(SHIPPED_MODELS[0])
    for memory in (True, False):
        print("\n" + measure(start, memory, Path(root)).markdown())


if __name__ == "__main__":
    main()
