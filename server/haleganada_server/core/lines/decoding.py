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
    logs = np.log(np.maximum(probabilities, _LEAST), dtype=np.float64)
    prior_of = _Prior(prior, weight, bonus)
    # what a text ends in so far: its probability with a blank at the end, and with its last symbol there
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for step, row in enumerate(logs):
        tried = np.flatnonzero(probabilities[step] >= _WORTH_TRYING)
        numbers = [int(number) for number in tried if number != BLANK]
        extended: dict[tuple[int, ...], tuple[float, float]] = {}
        for text, (blank, symbol) in beam.items():
            both = _add(blank, symbol)
            stays = symbol + row[text[-1]] if text else -math.inf
            _merge(extended, text, both + row[BLANK], stays)
            for number in numbers:
                before = blank if text and text[-1] == number else both
                if before > -math.inf:
                    _merge(extended, (*text, number), -math.inf, before + row[number])
        ranked = sorted(extended, key=lambda text: -_add(*extended[text]) - prior_of(text))
        beam = {text: extended[text] for text in ranked[:width]}
    return [Hypothesis(text, _add(*scores) + prior_of(text)) for text, scores in beam.items()]


class _Prior:
    """The prior of whole texts, each computed from the one that is shorter by a symbol."""

    def __init__(self, prior: Prior | None, weight: float, bonus: float) -> None:
        self._prior, self._weight, self._bonus = prior, weight, bonus
        self._known: dict[tuple[int, ...], float] = {(): 0.0}

    def __call__(self, text: tuple[int, ...]) -> float:
        if text not in self._known:
            own = self._weight * self._prior(text[:-1], text[-1]) if self._prior else 0.0
            self._known[text] = self(text[:-1]) + own + self._bonus
        return self._known[text]


def _merge(
    beam: dict[tuple[int, ...], tuple[float, float]], text: tuple[int, ...], blank: float, symbol: float
) -> None:
    known = beam.get(text, (-math.inf, -math.inf))
    beam[text] = _add(known[0], blank), _add(known[1], symbol)


def _add(first: float, second: float) -> float:
    """Return the log of the sum of two numbers, given by their logs."""
    high, low = max(first, second), min(first, second)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def align(probabilities: Probabilities, numbers: Sequence[int]) -> list[DecodedSymbol]:
    """Return where the symbols of a text are, by its most probable path (Viterbi). A text with more symbols than fit
    into the steps has none of those that do not.
    """
    states = [BLANK, *(number for symbol in numbers for number in (symbol, BLANK))]
    logs = np.log(np.maximum(probabilities, _LEAST), dtype=np.float64)[:, states]
    may_skip = np.array([place > 1 and states[place] not in (BLANK, states[place - 2]) for place in range(len(states))])
    scores = np.full(len(states), -math.inf)
    came: list[NDArray[np.intp]] = []
    for step, row in enumerate(logs):
        if step:
            stays, moves = scores, np.concatenate([[-math.inf], scores[:-1]])
            skips = np.where(may_skip, np.concatenate([[-math.inf] * 2, scores])[: len(states)], -math.inf)
            choices = np.stack([stays, moves, skips])
            back = choices.argmax(0)
            scores = choices.max(0) + row
            came.append(back)
        else:
            scores[:2] = row[:2]
    return _trace(scores, came, states, probabilities) if len(logs) else []


def _trace(
    scores: NDArray[np.float64], came: Sequence[NDArray[np.intp]], states: Sequence[int], probabilities: Probabilities
) -> list[DecodedSymbol]:
    """Follow the path back from the more probable one of its two ends."""
    state = len(states) - 1 if len(states) == 1 or scores[-1] >= scores[-2] else len(states) - 2
    steps_of: dict[int, list[int]] = {}
    for step in range(len(came), -1, -1):
        if states[state] != BLANK:
            steps_of.setdefault(state, []).append(step)
        if step:
            state -= int(came[step - 1][state])
    found = []
    for state in sorted(steps_of):
        own = probabilities[steps_of[state], states[state]]
        center = float((own * (np.array(steps_of[state]) + 0.5)).sum() / max(float(own.sum()), _LEAST))
        found.append(DecodedSymbol(states[state], center / len(probabilities), float(own.max())))
    return found
