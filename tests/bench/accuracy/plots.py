"""The plots of docs/accuracy.md."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from tests.bench.accuracy import features, one_shot
from tests.bench.accuracy.confidence import Answers
from tests.bench.accuracy.features import Recognizer
from tests.bench.accuracy.few_shot import Point
from tests.bench.accuracy.sets import Handwriting, kannada

PAIRS = 8
SHOWN = 6  # drawings of each label of a pair
_CELL = (72, 216)  # of a picture of mistakes: three drawings of 64 pixels, and room


def draw(folder: Path, points: list[Point], answers: list[Answers], recognizer: Recognizer, data: Path) -> None:
    """Write shots.svg, reliability.svg, unknown.svg, confused.png and mistakes.png."""
    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "haleganada", "font.size": 9})  # the same file for the same figures
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (
        ("shots", _shots(points)),
        ("reliability", _reliability(answers)),
        ("unknown", _unknown(answers)),
    ):
        figure.tight_layout()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    _confused(recognizer, kannada(data)).savefig(folder / "confused.png", dpi=110)
    Image.fromarray(side_by_side(one_shot.mistakes(recognizer, data))).save(folder / "mistakes.png", optimize=True)


def _shots(points: list[Point]) -> Figure:
    """Accuracy against taught samples, one panel a set."""
    names = list(dict.fromkeys(point.name for point in points))
    figure, axes = plt.subplots(2, 3, figsize=(9, 5), sharey=True)
    for axis, name in zip(axes.flat, names, strict=False):
        own = [point for point in points if point.name == name]
        for by, style in (("Haleganada", "o-"), ("HOG", "s--"), ("pixels", "^:"), ("ImageNet", "x-.")):
            some = [(point.shots, 100 * point.accuracy[by]) for point in own if by in point.accuracy]
            axis.plot(*zip(*some, strict=True), style, label=by) if some else None
        axis.set(title=name, xscale="log", ylim=(0, 100), xlabel="taught samples of a label")
        axis.set_xticks([point.shots for point in own], [str(point.shots) for point in own], minor=False)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("top-1, %")
    axes[1, 0].set_ylabel("top-1, %")
    axes[0, 0].legend(fontsize=7)
    return figure


def _reliability(answers: list[Answers]) -> Figure:
    """Accuracy against the probability that was told."""
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), sharey=True)
    situations = list(dict.fromkeys((a.name, a.shots) for a in answers))
    for axis, situation in zip(axes, situations, strict=False):
        axis.plot([0, 1], [0, 1], "k:", linewidth=1)
        for a in (a for a in answers if (a.name, a.shots) == situation):
            confidence, accuracy, share = zip(*a.bins(), strict=True)
            line = axis.plot(confidence, accuracy, "-", label=f"{a.ways} ways, ECE {a.ece:.3f}")[0]
            axis.scatter(confidence, accuracy, s=300 * np.sqrt(share), alpha=0.4, color=line.get_color())
        axis.set(title=f"{situation[0]}, {situation[1]} taught", xlabel="probability that was told", xlim=(0, 1))
        axis.legend(fontsize=7)
    axes[0].set_ylabel("share that was right")
    return figure


def _unknown(answers: list[Answers]) -> Figure:
    """Probability of “unknown” for taught and for untaught labels."""
    figure, axes = plt.subplots(1, len(answers), figsize=(2.2 * len(answers), 2.6), sharey=True)
    edges = np.linspace(0, 1, 21)
    for axis, a in zip(np.atleast_1d(axes), answers, strict=True):
        for values, label in ((a.unknown[~a.untaught], "taught"), (a.unknown[a.untaught], "never taught")):
            axis.hist(values, edges, weights=np.full(len(values), 1 / len(values)), alpha=0.5, label=label)
        axis.set(title=f"{a.shots} taught, {a.ways} ways\nAUROC {a.auroc:.3f}", xlabel="unknown")
    axes[0].legend(fontsize=7)
    return figure


def side_by_side(triples: list[NDArray[np.uint8]], columns: int = 6) -> NDArray[np.uint8]:
    """Triples of rasters (3, 128, 128), 255 = ink, as one picture of black ink, at half their size, room between."""
    rows = -(-len(triples) // columns)
    sheet = np.zeros((rows, columns, _CELL[0], _CELL[1]), np.uint8)
    for place, triple in enumerate(triples):
        halved = triple.reshape(3, 64, 2, 64, 2).mean((2, 4)).astype(np.uint8)
        sheet[place // columns, place % columns, :64, : 3 * 64] = np.concatenate(list(halved), axis=1)
    return 255 - sheet.transpose(0, 2, 1, 3).reshape(rows * _CELL[0], columns * _CELL[1])


def _confused(recognizer: Recognizer, drawn: Handwriting) -> Figure:
    """The Kannada labels that are taken for one another most often after five taught samples, as drawings."""
    pairs = _pairs(recognizer, drawn)
    figure, axes = plt.subplots(len(pairs), 1, figsize=(7.5, 0.62 * len(pairs)))
    for axis, ((a, b), count) in zip(axes, pairs, strict=True):
        sides = [np.concatenate(list(255 - drawn.drawings[drawn.labels == label][:SHOWN]), axis=1) for label in (a, b)]
        gap = np.full((sides[0].shape[0], 60), 255, np.uint8)
        axis.imshow(np.concatenate([sides[0], gap, sides[1]], axis=1), cmap="gray", vmin=0, vmax=255)
        axis.set_ylabel(f"{count}×", rotation=0, labelpad=14, va="center")
        axis.set_xticks([])
        axis.set_yticks([])
    figure.subplots_adjust(left=0.07, right=0.99, top=0.99, bottom=0.01, hspace=0.08)
    return figure


def _pairs(recognizer: Recognizer, drawn: Handwriting) -> list[tuple[tuple[int, int], int]]:
    taught, tested = drawn.split(5, 0)
    vectors: list[NDArray[np.float64]] = [
        recognizer.vectors(features.make_product_rasters(drawn.drawings[rows])) for rows in (taught, tested)
    ]
    head = recognizer.head(drawn.labels[taught], vectors[0])
    guess = [int(head.labels[int(head.scores(vector)[:-1].argmax())]) for vector in vectors[1]]
    wrong = Counter(tuple(sorted((g, int(t)))) for g, t in zip(guess, drawn.labels[tested], strict=True) if g != t)
    return [((pair[0], pair[1]), count) for pair, count in wrong.most_common(PAIRS)]
