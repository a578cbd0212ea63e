"""From a recognizer's probabilities to symbols: connectionist temporal classification (Graves et al. 2006).

Each step of a line has a probability for each symbol, and for no symbol at all (the blank, number 0). The same symbol
at neighboring steps is one; a blank parts two of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float32]
"""(steps, symbols + 1), each row with the sum 1."""

Prior = Callable[[Sequence[int], int], float]
"""Returns the log of the probability of a symbol behind others, all given by their numbers."""

BLANK = 0
_LEAST = 1e-10
_WORTH_TRYING = 1e-3  # probability of a symbol at a step


@dataclass(frozen=True, slots=True)
class DecodedSymbol:
    """number: of the symbol. center: where it is along the line, 0 to 1. confidence: its highest probability."""

    number: int
    center: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way to read a line. numbers: of its symbols. score: the log of its probability, with what the prior says."""

    numbers: tuple[int, ...]
    score: float


def decode_greedily(probabilities: Probabilities) -> list[DecodedSymbol]:
    """Return the symbols of the most probable path, from left to right."""
    best = probabilities.argmax(1)
    ends = np.flatnonzero(np.diff(best)) + 1
    starts = np.concatenate([[0], ends])[: len(best)]
    found = []
    for start, end in zip(starts, [*ends, len(best)], strict=False):
        if number := int(best[start]):
            own = probabilities[start:end, number]
            center = (start + float((own * np.arange(len(own))).sum() / own.sum()) + 0.5) / len(best)
            found.append(DecodedSymbol(number, center, float(own.max())))
    return found


def search_beam(
    probabilities: Probabilities, width: int = 8, prior: Prior | None = None, weight: float = 0.5, bonus: float = 0.0
) -> list[Hypothesis]:
    """Return up to `width` ways to read a line, the best first, all paths of each added up (prefix beam search: Hannun
    et al. 2014).

    prior: tells how symbols follow each other; weight: what it counts. bonus: for each symbol, so that a prior does
    not favor short texts.
    """
    prior_of = _Prior(prior, weight, bonus)
    is_tried = probabilities >= _WORTH_TRYING
    is_tried[:, BLANK] = True
    used = np.flatnonzero(is_tried.any(0))  # symbols, of many that are nowhere in the line
    logs = _take_logs(probabilities, used).tolist()
    tried: list[list[tuple[int, int]]] = [[] for _ in logs]
    for step, place in np.argwhere(is_tried[:, used]).tolist():
        if place:
            tried[step].append((int(used[place]), place))
    beam = [_Beginning((), BLANK, 0.0, 0.0)]
    for row, numbers in zip(logs, tried, strict=True):
        extended = _extend(beam, row, numbers, prior_of)
        beam = sorted(extended, key=_rank)[:width] if len(extended) > width else extended
    return [Hypothesis(one.text, -_rank(one)) for one in sorted(beam, key=_rank)]


def _take_logs(probabilities: Probabilities, numbers: Sequence[int] | NDArray[np.intp]) -> NDArray[np.float64]:
    return np.log(np.maximum(probabilities[:, numbers], _LEAST), dtype=np.float64)


class _Beginning:
    """What a text begins with. place: where the steps have its last symbol. prior: what is known of it without the
    picture. blank, symbol: the logs of the probabilities of its paths so far that end in a blank, and in its last
    symbol. longer: those that are longer by a symbol, by its number, if they were tried.
    """

    __slots__ = ("blank", "longer", "place", "prior", "symbol", "text")

    def __init__(self, text: tuple[int, ...], place: int, prior: float, blank: float) -> None:
        self.text, self.place, self.prior, self.blank = text, place, prior, blank
        self.symbol = -math.inf
        self.longer: dict[int, _Beginning] = {}


def _rank(one: _Beginning) -> float:
    return -_add(one.blank, one.symbol) - one.prior


def _extend(
    beam: Sequence[_Beginning], row: Sequence[float], numbers: Sequence[tuple[int, int]], prior_of: _Prior
) -> list[_Beginning]:  # fmt: skip
    """Take a step. Returns the beginnings in the beam, and those that are longer by a symbol.

    row: the logs of its probabilities, those of no symbol first. numbers: of the symbols to try, and their places in
    the row.
    """
    before = [(one, one.blank, _add(one.blank, one.symbol)) for one in beam]
    for one, _, both in before:
        one.symbol += row[one.place]
        one.blank = both + row[0]
    if not numbers:
        return list(beam)
    extended = list(beam)
    kept = set(beam)
    for one, blank, both in before:
        for number, place in numbers:
            paths = blank if place == one.place else both
            if paths == -math.inf:
                continue
            longer = one.longer.get(number)
            if longer is None:
                longer = one.longer[number] = prior_of.append(one, number, place)
            if longer not in kept:
                kept.add(longer)
                extended.append(longer)
                longer.blank, longer.symbol = -math.inf, paths + row[place]
            else:
                longer.symbol = _add(longer.symbol, paths + row[place])
    return extended


@dataclass(frozen=True, slots=True)
class _Prior:
    """What is known of whole texts, each computed from the one that is shorter by a symbol."""

    prior: Prior | None
    weight: float
    bonus: float

    def append(self, one: _Beginning, number: int, place: int) -> _Beginning:
        """Return a text that is longer by a symbol. place: of this in the steps."""
        own = self.weight * self.prior(one.text, number) if self.prior else 0.0
        return _Beginning((*one.text, number), place, one.prior + own + self.bonus, -math.inf)


def _add(first: float, second: float) -> float:
    """Return the log of the sum of two numbers, given by their logs."""
    if second > first:
        first, second = second, first
    return first if second == -math.inf else first + math.log1p(math.exp(second - first))


def align(probabilities: Probabilities, numbers: Sequence[int]) -> list[DecodedSymbol]:
    """Return where the symbols of a text are, by its most probable path (Viterbi). A text with more symbols than fit
    into the steps has none of those that do not.
    """
    states = [BLANK, *(number for symbol in numbers for number in (symbol, BLANK))]
    if not len(probabilities):
        return []
    logs = _take_logs(probabilities, states)
    may_skip = [place > 1 and states[place] not in (BLANK, states[place - 2]) for place in range(len(states))]
    skipping = np.where(may_skip, 0.0, -math.inf)
    scores = np.full((len(logs), len(states) + 2), -math.inf)  # behind two states that no path is in
    scores[0, 2:4] = logs[0, :2]
    best = np.empty(len(states))
    for before, after, row in zip(scores, scores[1:], logs[1:], strict=False):
        np.add(before[:-2], skipping, out=best)
        np.maximum(best, before[1:-1], out=best)
        np.maximum(best, before[2:], out=best)
        np.add(best, row, out=after[2:])
    return _trace(scores[:, 2:], may_skip, states, probabilities)


def _trace(
    scores: NDArray[np.float64], may_skip: Sequence[bool], states: Sequence[int], probabilities: Probabilities
) -> list[DecodedSymbol]:
    """Follow the path back from the more probable one of its two ends. scores: of the best path to each state."""
    last = scores[-1]
    state = len(states) - 1 if len(states) == 1 or last[-1] >= last[-2] else len(states) - 2
    steps_of: dict[int, list[int]] = {}
    for step in range(len(scores) - 1, -1, -1):
        if states[state] != BLANK:
            steps_of.setdefault(state, []).append(step)
        if step:
            from_states = [state, state - 1, state - 2][: 1 + (state > 0) + may_skip[state]]
            state = max(from_states, key=scores[step - 1].__getitem__)
    found = []
    for state in sorted(steps_of):
        own = probabilities[steps_of[state], states[state]]
        center = float((own * (np.array(steps_of[state]) + 0.5)).sum() / max(float(own.sum()), _LEAST))
        found.append(DecodedSymbol(states[state], center / len(probabilities), float(own.max())))
    return found
