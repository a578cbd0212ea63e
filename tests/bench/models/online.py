"""Online learning of letters in sequence, five drawings each.

    python -m tests.bench.models.online [--letters N] [--script NAME] [--only TEXT]

Needs HALEGANADA_DATA and the train extra. Every method learns the same drawings in the same order and is tested on the
same drawings by other writers. Replay 0 is the plain recipe: five steps of AdamW at 1e-3 on the new drawing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from haleganada_server.config import ServerConfig
from haleganada_server.runtime.weights import load_weights

from tests.bench.accuracy.features import Recognizer
from tests.bench.models.online_letters import SHOTS, Letters, load_english_letters, load_kannada_letters
from tests.bench.models.online_recipes import Learner, Recipe, make_recipes, measure_seconds
from tests.bench.table import Table

FIRST = 10
SCRIPTS = {"kannada": load_kannada_letters, "english": load_english_letters}


class LearningRun:
    """A learner's run through all letters, and its metrics."""

    def __init__(self, learner: Learner, letters: Letters) -> None:
        self._learner, self._letters = learner, letters
        self._learning_s: list[float] = []
        self._accuracy_just_taught: list[float] = []
        self.accuracy: dict[int, float] = {}
        """Accuracy on all letters taught so far, by their number."""
        self.accuracy_first: dict[int, float] = {}
        """Accuracy on the first ten letters, by the number of letters taught."""
        learner.prepare(letters.test.reshape(-1, *letters.test.shape[2:]))

    def run(self) -> LearningRun:
        """Teach all letters and return the run."""
        points = _evaluation_points(len(self._letters.names))
        for number, (letter, raster) in enumerate(self._letters.lessons(), 1):
            self._learning_s.append(measure_seconds(self._learner.learn, letter, raster))
            if number % SHOTS == 0:
                self._test(letter, letter + 1 in points)
        return self

    def cells(self) -> tuple[str, ...]:
        """Return the cells of its row."""
        points = _evaluation_points(len(self._letters.names))
        first = min(FIRST, len(self._letters.names))
        answer_s = [measure_seconds(self._learner.answer_one, drawing) for drawing in self._letters.test[0]]
        return (
            *(_percent(self.accuracy[point]) for point in points),
            f"{_percent(self.accuracy_first[first])} → {_percent(self.accuracy_first[points[-1]])}",
            _percent(float(np.mean(self._accuracy_just_taught))),
            _milliseconds(float(np.median(self._learning_s[-2 * SHOTS :]))),
            _milliseconds(float(np.median(answer_s))),
        )

    def _test(self, letter: int, test_all: bool) -> None:
        self._accuracy_just_taught.append(self._measure_accuracy([letter]))
        if test_all:
            self.accuracy[letter + 1] = self._measure_accuracy(range(letter + 1))
            self.accuracy_first[letter + 1] = self._measure_accuracy(range(min(FIRST, letter + 1)))

    def _measure_accuracy(self, letters: range | list[int]) -> float:
        drawings = self._letters.test[list(letters)]
        answers = self._learner.answer(drawings.reshape(-1, *drawings.shape[2:])).reshape(drawings.shape[:2])
        return float(np.mean(answers == np.array(letters)[:, None]))


def measure(letters: Letters, chosen: list[Recipe]) -> Table:
    """Return a table with a row for each recipe."""
    points = _evaluation_points(len(letters.names))
    first = min(FIRST, len(letters.names))
    table = Table(
        f"{letters.name} in sequence, {SHOTS} drawings each; tested on {letters.test.shape[1]} of each letter",
        ("network", "replay", *(f"accuracy after {point} letters" for point in points),
         f"first {first} letters: then → at the end", "newest letter", "learning time", "prediction time"),
    )  # fmt: skip
    for recipe in chosen:
        with tempfile.TemporaryDirectory() as folder:
            run = LearningRun(recipe.make(Path(folder)), letters).run()
            table.add(recipe.network, recipe.replay, *run.cells())
    return table


def _evaluation_points(letters: int) -> list[int]:
    """Return the numbers of letters after which all are tested, in ascending order, with the last one."""
    return sorted({max(1, letters // 4), max(1, letters // 2), min(FIRST, letters), letters})


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=1000, help="number of letters of each script")
    parser.add_argument("--script", choices=SCRIPTS, action="append", help="measure only this script; repeatable")
    parser.add_argument("--only", default="", help='run only recipes whose "NETWORK, replay N" contains this text')
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    root = os.environ.get("HALEGANADA_DATA")
    if not root:
        sys.exit("set HALEGANADA_DATA to the folder of the data sets")
    torch.set_num_threads(options.threads)
    weights = load_weights(ServerConfig(Path()).weights_dir)
    every = make_recipes(Recognizer.load_shipped(), weights.folder)
    chosen = [recipe for recipe in every if options.only in f"{recipe.network}, replay {recipe.replay}"]
    scripts = [SCRIPTS[name] for name in options.script or SCRIPTS]
    tables = [measure(script(Path(root), options.letters), chosen) for script in scripts]
    print("\n" + "\n\n".join(table.markdown() for table in tables))


if __name__ == "__main__":
    main()
