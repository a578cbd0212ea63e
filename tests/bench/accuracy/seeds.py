"""How much accuracy differs between training runs: python -m tests.bench.accuracy.seeds FOLDER FOLDER ...

Needs HALEGANADA_DATA. The folders are written by `haleganada pretrain --seed N`. All are measured on the same queries.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

from tests.bench.accuracy import one_shot
from tests.bench.accuracy.features import DrawingCache, Recognizer
from tests.bench.accuracy.few_shot import SPLITS, predict_labels
from tests.bench.accuracy.sets import SETS, Handwriting
from tests.bench.table import Table


def measure(recognizers: list[Recognizer], data: Path) -> Table:
    """Return a row for each set and number of taught samples, and for each kind of one-shot task."""
    columns = [str(number + 1) for number in range(len(recognizers))]
    out = Table(
        f"Top-1 accuracy, {SPLITS} splits, and one-shot error of each run", ("set", "shots", *columns, "mean ± sd")
    )
    for load, numbers in SETS:
        handwriting = load(data)
        caches = [DrawingCache(recognizer, handwriting.drawings) for recognizer in recognizers]
        for shots in numbers:
            pairs = zip(recognizers, caches, strict=True)
            _add_row(
                out, handwriting.name, str(shots), [_measure_accuracy(*pair, handwriting, shots) for pair in pairs]
            )
    errors = np.array([one_shot.measure_errors(recognizer, data) for recognizer in recognizers])
    for kind, shares in zip(one_shot.KINDS, errors.T, strict=True):
        _add_row(out, "one-shot error: " + kind, "1", shares.tolist())
    return out


def _measure_accuracy(recognizer: Recognizer, cache: DrawingCache, handwriting: Handwriting, shots: int) -> float:
    right = []
    for seed in range(SPLITS):
        taught, tested = handwriting.split(shots, seed)
        vectors = cache.vectors(taught), cache.vectors(tested)
        right.append(predict_labels(recognizer, handwriting.labels[taught], *vectors) == handwriting.labels[tested])
    return float(np.concatenate(right).mean())


def _add_row(out: Table, name: str, shots: str, shares: list[float]) -> None:
    spread = f"{100 * np.mean(shares):.2f} ± {100 * np.std(shares, ddof=1):.2f} %"
    out.add(name, shots, *(f"{100 * share:.2f} %" for share in shares), spread)
    print(f"{name}, {shots}: {spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how accuracy differs between training runs; print Markdown.")
    parser.add_argument("folders", type=Path, nargs="+", help="weights folders of two or more runs")
    options = parser.parse_args()
    root = os.environ.get("HALEGANADA_DATA")
    if not root or len(options.folders) < 2:
        sys.exit("set HALEGANADA_DATA to the folder of the data sets, and name two or more weights folders")
    print("\n" + measure([Recognizer.load(folder) for folder in options.folders], Path(root)).markdown())


if __name__ == "__main__":
    main()
