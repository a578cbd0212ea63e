"""How much accuracy differs between trainings: python -m tests.bench.accuracy.seeds FOLDER FOLDER ...

Needs HALEGANADA_DATA. The folders are those that `haleganada pretrain --seed N` wrote. All are asked the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

from tests.bench.accuracy import one_shot
from tests.bench.accuracy.features import Prepared, Recognizer
from tests.bench.accuracy.few_shot import SPLITS, guessed
from tests.bench.accuracy.sets import SETS, Handwriting
from tests.bench.table import Table


def measure(recognizers: list[Recognizer], data: Path) -> Table:
    """A row for each set and number of taught samples, and for each kind of one-shot task."""
    columns = [str(number + 1) for number in range(len(recognizers))]
    out = Table(
        f"Top-1 by each training, {SPLITS} splits; errors for one-shot", ("set", "taught", *columns, "mean ± sd")
    )
    for load, numbers in SETS:
        drawn = load(data)
        prepared = [Prepared(recognizer, drawn.drawings) for recognizer in recognizers]
        for shots in numbers:
            pairs = zip(recognizers, prepared, strict=True)
            _add(out, drawn.name, str(shots), [_accuracy(*pair, drawn, shots) for pair in pairs])
    errors = np.array([one_shot.errors(recognizer, data) for recognizer in recognizers])
    for kind, shares in zip(one_shot.KINDS, errors.T, strict=True):
        _add(out, "one-shot error: " + kind, "1", shares.tolist())
    return out


def _accuracy(recognizer: Recognizer, prepared: Prepared, drawn: Handwriting, shots: int) -> float:
    right = []
    for seed in range(SPLITS):
        taught, tested = drawn.split(shots, seed)
        vectors = prepared.vectors(taught), prepared.vectors(tested)
        right.append(guessed(recognizer, drawn.labels[taught], *vectors) == drawn.labels[tested])
    return float(np.concatenate(right).mean())


def _add(out: Table, name: str, shots: str, shares: list[float]) -> None:
    spread = f"{100 * np.mean(shares):.2f} ± {100 * np.std(shares, ddof=1):.2f} %"
    out.add(name, shots, *(f"{100 * share:.2f} %" for share in shares), spread)
    print(f"{name}, {shots}: {spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="The spread of accuracy between trainings, as Markdown.")
    parser.add_argument("folders", type=Path, nargs="+", help="weights of two or more trainings")
    options = parser.parse_args()
    root = os.environ.get("HALEGANADA_DATA")
    if not root or len(options.folders) < 2:
        sys.exit("set HALEGANADA_DATA to the folder with the data sets, and give two folders of weights or more")
    print("\n" + measure([Recognizer.of(folder) for folder in options.folders], Path(root)).markdown())


if __name__ == "__main__":
    main()
