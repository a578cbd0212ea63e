"""What a glyph probably is between its neighbors: the head's probabilities, weighted by how labels follow each other.

Each glyph is weighed between the present labels of its neighbors, line by line, a few times over (iterated conditional
modes: Besag, "On the statistical analysis of dirty pictures", 1986). What people have settled never changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import GlyphCandidate

from .assembly import FoundGlyph
from .label_order import CONTEXT, SPACE, START, LabelOrder, Run, Token

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ROUNDS = 2
_SURE = 0.995  # probability of a candidate, from which on its neighbors are not asked
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Trial:
    """A settled glyph as the head would see it if it was no sample. candidates: its label and others; logs: of their
    probabilities. own: the number of its label among them. context: what stands before it. line: its runs.
    """

    candidates: Sequence[str]
    logs: NDArray[np.float64]
    own: int
    context: Sequence[str]
    line: LabelOrder


def choose_weight(order: LabelOrder, trials: Sequence[Trial]) -> float:
    """Return which of WEIGHTS makes the labels of settled glyphs most probable, each by an order that was learned
    without its own line; 0 where nothing is gained.
    """
    if not trials:
        return 0.0
    gains = np.zeros(len(WEIGHTS))
    for trial in trials:
        prior = np.array([order.log_probability(one, trial.context, trial.line) for one in trial.candidates])
        for number, weight in enumerate(WEIGHTS):
            logs = trial.logs + weight * prior
            gains[number] += logs[trial.own] - np.logaddexp.reduce(logs)
    return WEIGHTS[int(np.argmax(gains))]


def weigh_neighbors(
    glyphs: Sequence[FoundGlyph], lines: Sequence[int], is_apart: Sequence[bool], order: LabelOrder, weight: float
) -> list[FoundGlyph]:
    """Return the glyphs with other texts, confidences and candidates where their neighbors say so. lines: of each;
    is_apart: whether a gap parts it from the one before it.
    """
    tokens, places = lay_out([glyph.text or None for glyph in glyphs], lines, is_apart)
    weighed = list(glyphs)
    for _ in range(_ROUNDS if weight else 0):
        for number, place in enumerate(places):
            weighed[number] = glyph = _weigh(glyphs[number], tokens, place, order, weight)
            tokens[place] = glyph.text or None
    return weighed


def lay_out(texts: Sequence[Token], lines: Sequence[int], is_apart: Sequence[bool]) -> tuple[list[Token], list[int]]:
    """Return texts with START before each line and SPACE between words, and the place of each."""
    tokens: list[Token] = []
    places = []
    for number, text in enumerate(texts):
        if not number or lines[number] != lines[number - 1]:
            tokens.append(START)
        elif is_apart[number]:
            tokens.append(SPACE)
        places.append(len(tokens))
        tokens.append(text)
    return tokens, places


def look_back(tokens: Sequence[Token], place: int) -> Run:
    """Return what stands before a place, as far as it is known."""
    found: list[str] = []
    for token in reversed(tokens[max(0, place - CONTEXT) : place]):
        if token is None:
            break
        found.append(token)
        if token == START:
            break
    return tuple(reversed(found))


def _weigh(glyph: FoundGlyph, tokens: Sequence[Token], place: int, order: LabelOrder, weight: float) -> FoundGlyph:
    own = next((one.probability for one in glyph.candidates if one.text == glyph.text), 0.0)
    if glyph.is_settled or not own or glyph.candidates[0].probability >= _SURE:
        return glyph
    probabilities = np.array([one.probability for one in glyph.candidates])
    logs = np.log(np.maximum(probabilities, _LEAST))
    logs += [weight * _between(one.text, tokens, place, order) for one in glyph.candidates]
    weighed = np.exp(logs - np.logaddexp.reduce(logs)) * probabilities.sum()
    ranking = np.argsort(-weighed, kind="stable").tolist()
    candidates = tuple(GlyphCandidate(text=glyph.candidates[i].text, probability=float(weighed[i])) for i in ranking)
    certainty = glyph.confidence / own
    best = candidates[0]
    return replace(glyph, text=best.text, confidence=certainty * best.probability, candidates=candidates)


def _between(text: str, tokens: Sequence[Token], place: int, order: LabelOrder) -> float:
    """Return the log of the probability of a label at a place, and of those after it that it is a context of."""
    before = look_back(tokens, place)
    total = order.log_probability(text, before)
    context = (*before, text)
    for token in tokens[place + 1 : place + 1 + CONTEXT]:
        if token is None or token == START:
            break
        total += order.log_probability(token, context)
        context = (*context, token)
    return total if math.isfinite(total) else 0.0
