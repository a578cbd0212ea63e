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
from tests.bench.accuracy.sets import Handwriting, load_kannada

PAIRS = 8
SHOWN = 6  # drawings of each label of a pair
_CELL = (72, 216)  # px of one mistake: three drawings of 64 px and a margin


def draw(folder: Path, points: list[Point], answers: list[Answers], recognizer: Recognizer, data: Path) -> None:
    """Write shots.svg, reliability.svg, unknown.svg, confused.png and mistakes.png."""
    mpl.use("Agg")
    # the same data give the same file; words stay words
    mpl.rcParams.update({"svg.hashsalt": "haleganada", "svg.fonttype": "none", "font.size": 9})
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (
        ("shots", _plot_shots(points)),
        ("reliability", _plot_reliability(answers)),
        ("unknown", _plot_unknown(answers)),
    ):
        figure.tight_layout()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    _plot_confused(recognizer, load_kannada(data)).savefig(folder / "confused.png", dpi=110)
    Image.fromarray(arrange_mistakes(one_shot.collect_mistakes(recognizer, data))).save(
        folder / "mistakes.png", optimize=True
    )


def _plot_shots(points: list[Point]) -> Figure:
    """Plot accuracy by taught samples, one panel for each set."""
    names = list(dict.fromkeys(point.name for point in points))
    figure, axes = plt.subplots(2, 3, figsize=(9, 5), sharey=True)
    for axis, name in zip(axes.flat, names, strict=False):
        own = [point for point in points if point.name == name]
        for method, style in (("Haleganada", "o-"), ("HOG", "s--"), ("pixels", "^:"), ("ImageNet", "x-.")):
            some = [(point.shots, 100 * point.accuracy[method]) for point in own if method in point.accuracy]
            axis.plot(*zip(*some, strict=True), style, label=method) if some else None
        axis.set(title=name, xscale="log", ylim=(0, 100), xlabel="samples per label")
        axis.set_xticks([point.shots for point in own], [str(point.shots) for point in own], minor=False)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("top-1 accuracy, %")
    axes[1, 0].set_ylabel("top-1 accuracy, %")
    axes[0, 0].legend(fontsize=7)
    return figure


def _plot_reliability(answers: list[Answers]) -> Figure:
    """Plot accuracy by predicted probability."""
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), sharey=True)
    situations = list(dict.fromkeys((a.name, a.shots) for a in answers))
    for axis, situation in zip(axes, situations, strict=False):
        axis.plot([0, 1], [0, 1], "k:", linewidth=1)
        for a in (a for a in answers if (a.name, a.shots) == situation):
            confidence, accuracy, share = zip(*a.bins(), strict=True)
            line = axis.plot(confidence, accuracy, "-", label=f"{a.ways} labels, ECE {a.ece:.3f}")[0]
            axis.scatter(confidence, accuracy, s=300 * np.sqrt(share), alpha=0.4, color=line.get_color())
        name, shots = situation
        axis.set(title=f"{_shorten(name)}, {_count(shots)} per label", xlabel="predicted probability", xlim=(0, 1))
        axis.legend(fontsize=7)
    axes[0].set_ylabel("share correct")
    return figure


def _plot_unknown(answers: list[Answers]) -> Figure:
    """Plot the probability of “unknown” for taught and for untaught labels."""
    situations = list(dict.fromkeys((a.name, a.shots) for a in answers))
    columns = max(sum((a.name, a.shots) == situation for a in answers) for situation in situations)
    size = (2.2 * columns, 2.6 * len(situations))
    figure, axes = plt.subplots(len(situations), columns, figsize=size, sharey=True, squeeze=False)
    edges = np.linspace(0, 1, 21)
    for row, situation in zip(axes, situations, strict=True):
        own = [a for a in answers if (a.name, a.shots) == situation]
        for axis, a in zip(row, own, strict=False):
            for values, label in ((a.unknown[~a.untaught], "taught"), (a.unknown[a.untaught], "never taught")):
                axis.hist(values, edges, weights=np.full(len(values), 1 / len(values)), alpha=0.5, label=label)
            axis.set_title(f"{_shorten(a.name)}, {a.ways} labels\n{_count(a.shots)} each, AUROC {a.auroc:.3f}", size=9)
            axis.set_xlabel("probability of “unknown”")
        for axis in row[len(own) :]:
            axis.remove()
    axes[0, 0].legend(fontsize=7)
    return figure


def _shorten(name: str) -> str:
    """Return the name of a data set without what follows its first comma."""
    return name.partition(",")[0]


def _count(shots: int) -> str:
    return "1 sample" if shots == 1 else f"{shots} samples"


def arrange_mistakes(triples: list[NDArray[np.uint8]], columns: int = 6) -> NDArray[np.uint8]:
    """Arrange triples of rasters (3, 128, 128), 255 = ink, at half their size in one picture of black ink."""
    rows = -(-len(triples) // columns)
    sheet = np.zeros((rows, columns, _CELL[0], _CELL[1]), np.uint8)
    for i, triple in enumerate(triples):
        halved = triple.reshape(3, 64, 2, 64, 2).mean((2, 4)).astype(np.uint8)
        sheet[i // columns, i % columns, :64, : 3 * 64] = np.concatenate(list(halved), axis=1)
    return 255 - sheet.transpose(0, 2, 1, 3).reshape(rows * _CELL[0], columns * _CELL[1])


def _plot_confused(recognizer: Recognizer, handwriting: Handwriting) -> Figure:
    """Plot drawings of the Kannada labels that are confused most often after five taught samples."""
    pairs = _find_confused_pairs(recognizer, handwriting)
    figure, axes = plt.subplots(len(pairs), 1, figsize=(7.5, 0.62 * len(pairs)))
    for axis, ((a, b), count) in zip(axes, pairs, strict=True):
        sides = [
            np.concatenate(list(255 - handwriting.drawings[handwriting.labels == label][:SHOWN]), axis=1)
            for label in (a, b)
        ]
        gap = np.full((sides[0].shape[0], 60), 255, np.uint8)
        axis.imshow(np.concatenate([sides[0], gap, sides[1]], axis=1), cmap="gray", vmin=0, vmax=255)
        axis.set_ylabel(f"{count}×", rotation=0, labelpad=14, va="center")
        axis.set_xticks([])
        axis.set_yticks([])
    figure.subplots_adjust(left=0.07, right=0.99, top=0.99, bottom=0.01, hspace=0.08)
    return figure


def _find_confused_pairs(recognizer: Recognizer, handwriting: Handwriting) -> list[tuple[tuple[int, int], int]]:
    taught, tested = handwriting.split(5, 0)
    vectors: list[NDArray[np.float64]] = [
        recognizer.embed(features.make_product_rasters(handwriting.drawings[rows])) for rows in (taught, tested)
    ]
    head = recognizer.teach(handwriting.labels[taught], vectors[0])
    predictions = [int(head.labels[int(head.scores(vector)[:-1].argmax())]) for vector in vectors[1]]
    wrong = Counter(
        tuple(sorted((p, int(t)))) for p, t in zip(predictions, handwriting.labels[tested], strict=True) if p != t
    )
    return [((pair[0], pair[1]), count) for pair, count in wrong.most_common(PAIRS)]
