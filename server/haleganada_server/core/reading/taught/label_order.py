"""How the labels of a script follow each other: a model of runs of three, learned from what people have settled.

Its estimates are mixed with those of shorter contexts as Witten and Bell do ("The zero-frequency problem", IEEE
Transactions on Information Theory 37, 1991): a context says as much less as it was followed by more kinds of labels.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from haleganada_server.core.reading.page import PageReading

START, SPACE = "\n", " "
"""Stand before the first glyph of a line, and between words; no label is one of them."""
CONTEXT = 2
"""Tokens that say what follows them."""

Token = str | None
"""None stands for a glyph of which nothing is known."""

Run = tuple[str, ...]
"""Labels and spaces that follow each other in a line, perhaps behind its START."""


_NOTHING: Counter[str] = Counter()


class LabelOrder:
    """Immutable."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._following: dict[Run, Counter[str]] = {}
        self._totals: Counter[Run] = Counter()
        self._count(runs)

    def extend(self, runs: Sequence[Run]) -> LabelOrder:
        """Return a model that has learned further runs, too."""
        made = LabelOrder()
        made._following, made._totals = dict(self._following), self._totals.copy()
        for context in {context for run in runs for context, _ in _pairs(run)}:
            if context in made._following:
                made._following[context] = made._following[context].copy()
        made._count(runs)
        return made

    @property
    def is_empty(self) -> bool:
        return not self._following

    def log_probability(self, token: str, context: Sequence[str], left_out: LabelOrder | None = None) -> float:
        """Return the log of the probability of a token behind others, the nearest last. left_out: of some of the runs,
        as if these had not been learned.
        """
        return math.log(self._estimate(token, tuple(context[-CONTEXT:]), left_out))

    def _estimate(self, token: str, context: Run, left_out: LabelOrder | None) -> float:
        seen = self._following.get(context, _NOTHING)
        count, total, kinds = seen[token], self._totals[context], len(seen)
        if left_out is not None and (own := left_out._following.get(context)):
            count, total = count - own[token], total - left_out._totals[context]
            kinds -= sum(seen[one] == number for one, number in own.items())
        shorter = self._estimate(token, context[1:], left_out) if context else 1 / (kinds + 1)
        return (count + kinds * shorter) / (total + kinds) if total else shorter

    def _count(self, runs: Iterable[Run]) -> None:
        for run in runs:
            for context, token in _pairs(run):
                self._following.setdefault(context, Counter())[token] += 1
                self._totals[context] += 1


def _pairs(run: Run) -> Iterable[tuple[Run, str]]:
    """Yield each token of a run but START, with each of its contexts."""
    for place, token in enumerate(run):
        if token != START:
            yield from ((run[place - length : place], token) for length in range(min(place, CONTEXT) + 1))


def find_runs(reading: PageReading) -> tuple[Run, ...]:
    """Return what people have settled on a page, as it stands in its lines."""
    tokens: list[Token] = []
    for line in reading.lines:
        tokens.append(START)
        for number, word in enumerate(line.words):
            tokens += [SPACE] if number else []
            tokens += [glyph.text if glyph.is_settled and glyph.text else None for glyph in word.glyphs]
    return split_runs(tokens)


def split_runs(tokens: Iterable[Token]) -> tuple[Run, ...]:
    """Return the runs of tokens between those that are unknown, and those that begin lines."""
    runs: list[list[str]] = [[]]
    for token in tokens:
        if token is None or token == START:
            runs.append([])
        if token is not None:
            runs[-1].append(token)
    return tuple(tuple(run) for run in runs if not set(run) <= {START, SPACE})
