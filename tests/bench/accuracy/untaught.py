"""What is told where a script is taught in halves, and where it is taught completely: python -m
tests.bench.accuracy.untaught. Needs HALEGANADA_DATA.

Of the same answers, shares are taken so that half or a tenth of the questions are about letters that nobody taught:
letters of the same script, which resemble the taught ones. “Told”: if the question says how many labels the script has.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.core.fewshot.confidence import SURE, UNKNOWN
from haleganada_server.training.common.metrics import area_under_roc, expected_calibration_error
from numpy.typing import NDArray

from tests.bench.accuracy.features import DrawingCache, Recognizer
from tests.bench.accuracy.sets import (
    Handwriting,
    load_apl_symbols,
    load_cursive_latin,
    load_devanagari,
    load_english,
    load_held_out_alphabets,
    load_kannada,
    load_kannada_letters,
    load_kannada_rows,
)
from tests.bench.table import Table

SHOTS, HALVES, SPLITS = (1, 5), 12, 3
MANY_SHOTS = 14  # where there are so many writers
TOLD_HALVES = ("told: untaught RECOGNIZED", "told: right RECOGNIZED", "told: ECE, half untaught")
TOLD_WHOLE = ("told: ECE", "told: right RECOGNIZED")
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Load = Callable[[Path], Handwriting | list[Handwriting]]

SCRIPTS: tuple[tuple[str, Load], ...] = (
    ("Omniglot, six alphabets", load_held_out_alphabets),
    ("Kannada, letters", load_kannada_letters),
    ("Kannada, four rows of aksharas", load_kannada_rows),
    ("Kannada, 657 aksharas", load_kannada),
    ("Devanagari, 46 characters", load_devanagari),
    ("English, 62 characters", load_english),
    ("APL and ASCII, 165 symbols", load_apl_symbols),
    ("Cursive Latin, 62 characters", load_cursive_latin),
)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was told about n drawings, arrays (n,).

    best: probability of the best label. right: whether that is the label. unknown: probability of “unknown”. untaught:
    whether the label was never taught.
    """

    best: Floats
    right: Bools
    unknown: Floats
    untaught: Bools

    @classmethod
    def join(cls, parts: Sequence[Told]) -> Told:
        names = ("best", "right", "unknown", "untaught")
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    @property
    def recognized(self) -> Bools:
        """Return which were told as RECOGNIZED."""
        return np.asarray((self.best >= SURE) & (self.unknown < UNKNOWN))

    @property
    def shown(self) -> float:
        """Return the share of right labels that were told as RECOGNIZED."""
        return float(self.recognized[self.right].mean())

    @property
    def mistaken(self) -> float:
        """Return the share of untaught drawings that were told as RECOGNIZED."""
        return float(self.recognized[self.untaught].mean())

    @property
    def auroc(self) -> float:
        """Return the probability that an untaught drawing gets more “unknown” than a taught one."""
        return area_under_roc(self.unknown[self.untaught], self.unknown[~self.untaught])

    def measure_error(self, share: float) -> float:
        """Return the expected calibration error of the best answer, which may be “unknown”, if that share of the
        questions is about untaught labels.
        """
        rng = np.random.default_rng(0)
        taught, untaught = (rng.permutation(np.flatnonzero(x)) for x in (~self.untaught, self.untaught))
        number = min(len(taught) / (1 - share), len(untaught) / share)
        rows = np.concatenate([taught[: round((1 - share) * number)], untaught[: round(share * number)]])
        is_unknown = self.unknown > self.best
        right = np.where(is_unknown, self.untaught, self.right)
        return expected_calibration_error(np.maximum(self.unknown, self.best)[rows], right[rows])


def measure(recognizer: Recognizer, data: Path) -> list[Table]:
    """Return a table of halves and one of complete scripts."""
    shares = ("ECE, half untaught", "ECE, one in ten")
    halves = Table(
        f"Half of a script taught, {HALVES} halves",
        ("set", "shots", "untaught RECOGNIZED", "right RECOGNIZED", "AUROC", *shares, *TOLD_HALVES, "n"),
    )
    whole = Table(
        "All of a script taught",
        ("set", "shots", "top-1", "mean probability", "ECE", "right RECOGNIZED", *TOLD_WHOLE, "n"),
    )
    for name, load in SCRIPTS:
        loaded = load(data)
        members = [
            (one, DrawingCache(recognizer, one.drawings)) for one in (loaded if isinstance(loaded, list) else [loaded])
        ]
        for shots in SHOTS:
            guessed, told = (
                [_ask(recognizer, *member, shots, 0.5, HALVES, tell) for member in members] for tell in (False, True)
            )
            more = (f"{np.mean([one.mistaken for one in told]):.1%}", f"{np.mean([one.shown for one in told]):.1%}")
            error = f"{Told.join(told).measure_error(0.5):.3f}"
            number = f"{sum(len(one.best) for one in guessed):,}"
            halves.add(name, str(shots), *_describe_halves(guessed), *more, error, number)
        for shots in (*SHOTS, MANY_SHOTS) if members[0][0].has_writers(MANY_SHOTS) else SHOTS:
            one, two = (
                Told.join([_ask(recognizer, *member, shots, 1.0, SPLITS, tell) for member in members])
                for tell in (False, True)
            )
            known = ~one.untaught  # nobody taught some aksharas
            top = (f"{one.right[known].mean():.1%}", f"{one.best[known].mean():.2f}")
            whole.add(name, str(shots), *top, *_describe_whole(one), *_describe_whole(two), f"{known.sum():,}")
    return [halves, whole]


def _describe_whole(told: Told) -> Iterator[str]:
    """Yield the calibration error of the best label, and how many right ones are told as RECOGNIZED."""
    known = ~told.untaught
    yield f"{expected_calibration_error(told.best[known], told.right[known]):.3f}"
    yield f"{told.shown:.1%}"


def _describe_halves(told: Sequence[Told]) -> Iterator[str]:
    """Yield the mean of each measure over the alphabets of a set."""
    yield f"{np.mean([one.mistaken for one in told]):.1%}"
    yield f"{np.mean([one.shown for one in told]):.1%}"
    yield f"{np.mean([one.auroc for one in told]):.3f}"
    joined = Told.join(told)
    for share in (0.5, 0.1):
        yield f"{joined.measure_error(share):.3f}"


def _ask(
    recognizer: Recognizer,
    handwriting: Handwriting,
    cache: DrawingCache,
    shots: int,
    share: float,
    times: int,
    tell: bool = False,
) -> Told:
    """Teach a share of the labels, and ask for all. Which labels are taught matters a lot: whether similar ones are.
    tell: how many labels the script has.
    """
    labels, parts = np.unique(handwriting.labels), []
    for seed in range(times):
        chosen = np.random.default_rng([shots, seed]).permutation(labels)[: round(share * len(labels))]
        taught, tested = handwriting.split(shots, seed)
        taught = taught[np.isin(handwriting.labels[taught], chosen)]
        head = recognizer.teach(handwriting.labels[taught], cache.vectors(taught))
        missing = len(labels) - len(chosen) if tell else None
        probabilities = recognizer.predict(head, cache.vectors(tested), missing)
        known = np.array([int(label) for label in head.labels])
        best, truth = probabilities[:, :-1].argmax(axis=1), handwriting.labels[tested]
        parts.append(
            Told(
                best=probabilities[np.arange(len(best)), best],
                right=known[best] == truth,
                unknown=probabilities[:, -1],
                untaught=~np.isin(truth, known),
            )
        )
    return Told.join(parts)


def main() -> None:
    tables = measure(Recognizer.load_shipped(), Path(os.environ["HALEGANADA_DATA"]))
    print("\n\n".join(table.markdown() for table in tables))


if __name__ == "__main__":
    main()
