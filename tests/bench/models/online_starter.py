"""What the starter model remembers while it learns new signs: python -m tests.bench.models.online_starter.

Needs HALEGANADA_DATA and the train extra; a quarter of an hour on one core. It learns five drawings each of three signs
of Tifinagh and of the digit 7, with default replay. After every drawing it is tested on held-out drawings of its own
labels; at the end also on others of the new signs and on MNIST's digits, which its exemplars do not include.
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
class LabeledDrawings:
    """Drawings (n, 64, 64) and their labels."""

    rasters: Rasters
    labels: tuple[str, ...]

    @classmethod
    def from_images(cls, pairs: Iterable[tuple[NDArray[np.uint8], str]]) -> LabeledDrawings:
        """Convert images of any size, 255 = ink."""
        images, labels = zip(*pairs, strict=True)
        return cls(np.stack([dataset_raster(rasterize_gray(image)) for image in images]), labels)


def measure(start: InitialModel, with_exemplars: bool, data: Path) -> Table:
    """Return a table with a row for each order and seed."""
    old, digits, signs = _load_held_out(data), _load_digits(data), _load_signs(data)
    if not with_exemplars:
        start = InitialModel(start.network, start.labels, start.temperature)
    out = Table(
        f"Online learning from the starter model, {'with' if with_exemplars else 'without'} exemplars",
        ("order", "before", "minimum", "after", f"new signs, n = {sum(len(s.labels) - SHOTS for s in signs)}",
         "MNIST before", "MNIST after"),
    )  # fmt: skip
    for seed in SEEDS:
        for shuffled in (False, True):
            cells = _run(start, old, digits, signs, seed, shuffled)
            out.add("shuffled" if shuffled else "by sign", *(f"{100 * share:.1f} %" for share in cells))
    return out


def _run(
    start: InitialModel,
    old: LabeledDrawings,
    digits: LabeledDrawings,
    signs: list[LabeledDrawings],
    seed: int,
    shuffled: bool,
) -> list[float]:
    sevens = [raster for raster, label in zip(digits.rasters, digits.labels, strict=True) if label == "7"][:SHOTS]
    lessons = [(sign.labels[0], raster) for sign in signs for raster in sign.rasters[:SHOTS]]
    lessons += [("7", raster) for raster in sevens]
    if shuffled:
        lessons = [lessons[i] for i in np.random.default_rng(seed).permutation(len(lessons))]
    with tempfile.TemporaryDirectory() as folder, FeatureCache(Path(folder), start.network) as features:
        state = LearnerState(start, OnlineConfig(seed=seed), features)
        before, history = (_measure_accuracy(state, old), _measure_accuracy(state, digits)), []
        for number, (label, raster) in enumerate(lessons):
            state.learn(TaughtDrawing(number + 1, label, raster))
            history.append(_measure_accuracy(state, old))
        others = [
            _measure_accuracy(state, LabeledDrawings(sign.rasters[SHOTS:], sign.labels[SHOTS:])) for sign in signs
        ]
        return [
            before[0],
            min(history),
            history[-1],
            float(np.mean(others)),
            before[1],
            _measure_accuracy(state, digits),
        ]


def _measure_accuracy(state: LearnerState, drawings: LabeledDrawings) -> float:
    network = state.network.module.eval()
    with torch.inference_mode():
        answers = network(torch.from_numpy(model_input(drawings.rasters, 32))).argmax(1).tolist()
    return float(np.mean([state.labels[row] == label for row, label in zip(answers, drawings.labels, strict=True)]))


def _load_held_out(data: Path) -> LabeledDrawings:
    """Load the drawings that the starter's card calls held out."""
    return LabeledDrawings.from_images(
        (frame_scan(item.ink), item.label) for item in load_real_items(data) if item.part is Part.TEST
    )


def _load_digits(data: Path) -> LabeledDrawings:
    with np.load(data / "mnist" / "mnist_28.npz") as file:
        images, labels = file["x_test"][:DIGITS], file["y_test"][:DIGITS].astype(str)
    return LabeledDrawings.from_images((frame_scan(image), label) for image, label in zip(images, labels, strict=True))


def _load_signs(data: Path) -> list[LabeledDrawings]:
    characters = load_omniglot(data)["Tifinagh"]
    return [LabeledDrawings.from_images((frame_scan(scan), f"Tifinagh {i}") for scan in characters[i]) for i in SIGNS]


def main() -> None:
    root = os.environ.get("HALEGANADA_DATA")
    if not root:
        sys.exit("set HALEGANADA_DATA to the folder of the data sets")
    torch.set_num_threads(1)
    start = load_initial_model(SHIPPED_MODELS[0])
    for with_exemplars in (True, False):
        print("\n" + measure(start, with_exemplars, Path(root)).markdown())


if __name__ == "__main__":
    main()
