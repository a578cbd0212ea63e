"""Error rates of texts that were read, in characters and in words, with intervals."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_ROUNDS = 1_000  # of the bootstrap


@dataclass(frozen=True)
class Score:
    """One text that was read. Counts of edits, and of what the true text has."""

    character_errors: int
    characters: int
    word_errors: int
    words: int


def score(read: str, truth: str) -> Score:
    """Compare after NFC; runs of white space count as one space."""
    read, truth = (" ".join(unicodedata.normalize("NFC", text).split()) for text in (read, truth))
    return Score(edits(read, truth), len(truth), edits(read.split(), truth.split()), len(truth.split()))


def edits(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the Levenshtein distance of two sequences."""
    numbers = {item: i for i, item in enumerate({*a, *b})}
    columns = np.asarray([numbers[item] for item in b], np.int64)
    steps = np.arange(len(b) + 1)
    row = steps.copy()
    for count, item in enumerate(a, 1):
        changed = np.empty_like(row)
        changed[0] = count
        np.minimum(row[1:] + 1, row[:-1] + (columns != numbers[item]), out=changed[1:])
        row = np.minimum.accumulate(changed - steps) + steps  # insertions
    return int(row[-1])


def rate(scores: Sequence[Score], what: str = "character") -> float:
    """Return the error rate. what: "character" or "word"."""
    errors, total = _counts(scores, what)
    return float(errors.sum() / max(total.sum(), 1))


def interval(scores: Sequence[Score], what: str = "character") -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the error rate over the texts."""
    errors, total = _counts(scores, what)
    draws = np.random.default_rng(0).integers(0, len(scores), (_ROUNDS, len(scores)))
    rates = errors[draws].sum(axis=1) / np.maximum(total[draws].sum(axis=1), 1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)


def tell(scores: Sequence[Score], what: str = "character") -> str:
    """Return for example "4.3 % (3.9-4.8)"; "-" = nothing was measured."""
    if not scores:
        return "-"
    low, high = interval(scores, what)
    return f"{rate(scores, what):.1%} ({low * 100:.1f}-{high * 100:.1f})".replace("%", " %")


def _counts(scores: Sequence[Score], what: str) -> tuple[np.ndarray, np.ndarray]:
    plural = f"{what}s"
    return (
        np.asarray([getattr(one, f"{what}_errors") for one in scores]),
        np.asarray([getattr(one, plural) for one in scores]),
    )
