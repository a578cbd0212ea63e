"""Letters taught one after another, five drawings each: python -m tests.bench.models.online [--letters N] [--only
TEXT].

Needs HALEGANADA_DATA and the train extra. Every way of learning gets the same drawings in the same order and is asked
with the same drawings, by other writers. Replay 0 is the plain recipe: five steps of AdamW at 1e-3 on the new drawing.
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
from tests.bench.models.online_letters import SHOTS, Letters, english_letters, kannada_letters
from tests.bench.models.online_recipes import Pupil, Recipe, recipes, timed
from tests.bench.table import Table

FIRST = 10
SCRIPTS = {"kannada": kannada_letters, "english": english_letters}


class Course:
    """One pupil on its way through the letters, and its marks."""

    def __init__(self, pupil: Pupil, letters: Letters) -> None:
        self._pupil, self._letters = pupil, letters
        self._taught_s: list[float] = []
        self._just_taught: list[float] = []
        self.so_far: dict[int, float] = {}
        """Share of right answers to all letters taught by then, by their number."""
        self.first: dict[int, float] = {}
        """The same for the first ten letters only."""
        pupil.prepare(letters.asking.reshape(-1, *letters.asking.shape[2:]))

    def run(self) -> Course:
        """Teach everything."""
        points = _points(len(self._letters.names))
        for number, (letter, raster) in enumerate(self._letters.lessons(), 1):
            self._taught_s.append(timed(self._pupil.learn, letter, raster))
            if number % SHOTS == 0:
                self._examine(letter, letter + 1 in points)
        return self

    def cells(self) -> tuple[str, ...]:
        """Of the table."""
        points = _points(len(self._letters.names))
        first = min(FIRST, len(self._letters.names))
        asked = self._letters.asking[0]
        answer_s = [timed(self._pupil.answer_one, drawing) for drawing in asked]
        return (
            *(_percent(self.so_far[point]) for point in points),
            f"{_percent(self.first[first])} → {_percent(self.first[points[-1]])}",
            _percent(float(np.mean(self._just_taught))),
            _milliseconds(float(np.median(self._taught_s[-2 * SHOTS :]))),
            _milliseconds(float(np.median(answer_s))),
        )

    def _examine(self, letter: int, thoroughly: bool) -> None:
        self._just_taught.append(self._right([letter]))
        if thoroughly:
            self.so_far[letter + 1] = self._right(range(letter + 1))
            self.first[letter + 1] = self._right(range(min(FIRST, letter + 1)))

    def _right(self, letters: range | list[int]) -> float:
        asked = self._letters.asking[list(letters)]
        answers = self._pupil.answer(asked.reshape(-1, *asked.shape[2:])).reshape(asked.shape[:2])
        return float(np.mean(answers == np.array(letters)[:, None]))


def measure(letters: Letters, chosen: list[Recipe]) -> Table:
    """One row for each way of learning."""
    points = _points(len(letters.names))
    first = min(FIRST, len(letters.names))
    table = Table(
        f"{letters.name}, one after another, {SHOTS} drawings each; {letters.asking.shape[1]} asked of each letter",
        ("network", "replay", *(f"all, after {point} letters" for point in points),
         f"first {first}: then → at the end", "letter just taught", "to learn one", "to answer one"),
    )  # fmt: skip
    for recipe in chosen:
        with tempfile.TemporaryDirectory() as folder:
            course = Course(recipe.make(Path(folder)), letters).run()
            table.add(recipe.network, recipe.replay, *course.cells())
    return table


def _points(letters: int) -> list[int]:
    """Numbers of letters after which everything is asked, the last one always, rising."""
    return sorted({max(1, letters // 4), max(1, letters // 2), min(FIRST, letters), letters})


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=1000, help="the first so many letters of each script")
    parser.add_argument("--script", choices=SCRIPTS, action="append", help="only this one; may be repeated")
    parser.add_argument("--only", default="", help="only networks whose name, with its replay, contains this")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    root = os.environ.get("HALEGANADA_DATA")
    if not root:
        sys.exit("set HALEGANADA_DATA to the folder with the data sets")
    torch.set_num_threads(options.threads)
    weights = load_weights(ServerConfig(Path()).weights_dir)
    every = recipes(Recognizer.shipped(), weights.safetensors)
    chosen = [recipe for recipe in every if options.only in f"{recipe.network}, replay {recipe.replay}"]
    scripts = [SCRIPTS[name] for name in options.script or SCRIPTS]
    tables = [measure(script(Path(root), options.letters), chosen) for script in scripts]
    print("\n" + "\n\n".join(table.markdown() for table in tables))


if __name__ == "__main__":
    main()
