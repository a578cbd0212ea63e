"""Character and word error rates with their intervals: edits divided by the length of what is right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .edits import Edit, edit_distance, list_edits
from .texts import normalize_for_comparison

_RESAMPLED = 1_000


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line that was read. text: what is right. read: what was read. group: whose lines are alike, "" = its own."""

    text: str
    read: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """edits over length; low, high: its 95 % interval."""

    edits: int
    length: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.edits / self.length if self.length else 0.0


def measure_characters(lines: Sequence[ReadLine], seed: int = 0) -> ErrorRate:
    """Return the character error rate, of texts as normalize_for_comparison returns them."""
    return _measure([_count(list(_right(line)), list(_read(line))) for line in lines], lines, seed)


def measure_words(lines: Sequence[ReadLine], seed: int = 0) -> ErrorRate:
    """Return the word error rate; words are what spaces part."""
    return _measure([_count(_right(line).split(), _read(line).split()) for line in lines], lines, seed)


def count_confusions(lines: Sequence[ReadLine]) -> list[tuple[Edit, int]]:
    """Return which character was read as which other, the most frequent first; "" = as none, or where none is."""
    counted = Counter(edit for line in lines for edit in list_edits(list(_right(line)), list(_read(line))))
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def count_character_edits(line: ReadLine) -> tuple[int, int]:
    """Return how many edits lead from what was read to what is right, and the characters of the latter."""
    return _count(list(_right(line)), list(_read(line)))


def _right(line: ReadLine) -> str:
    return normalize_for_comparison(line.text)


def _read(line: ReadLine) -> str:
    return normalize_for_comparison(line.read)


def _count(right: Sequence[str], read: Sequence[str]) -> tuple[int, int]:
    return edit_distance(right, read), len(right)


def _measure(counts: Sequence[tuple[int, int]], lines: Sequence[ReadLine], seed: int) -> ErrorRate:
    edits, length = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    low, high = _bootstrap(_add_up(counts, lines), seed)
    return ErrorRate(edits, length, low, high)


def _add_up(counts: Sequence[tuple[int, int]], lines: Sequence[ReadLine]) -> NDArray[np.int64]:
    """Return edits and lengths of each group, (groups, 2)."""
    groups: dict[str | int, list[int]] = defaultdict(lambda: [0, 0])
    for number, (line, (edits, length)) in enumerate(zip(lines, counts, strict=True)):
        own = groups[line.group or number]
        own[0] += edits
        own[1] += length
    return np.array(list(groups.values()), np.int64).reshape(-1, 2)


def _bootstrap(groups: NDArray[np.int64], seed: int) -> tuple[float, float]:
    """Return the 2.5th and the 97.5th percentile of the rate over samples of whole groups (Efron 1979)."""
    if not groups[:, 1].sum():
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(groups), size=(_RESAMPLED, len(groups)))
    sums = groups[drawn].sum(1)
    rates = sums[:, 0] / np.maximum(sums[:, 1], 1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)
