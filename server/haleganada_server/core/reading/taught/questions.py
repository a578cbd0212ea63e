"""What is best asked next about a page: the glyph whose answer settles the most others.

How likely two glyphs are the same is what the head says of one when the other is the only sample of its label; so an
unknown script forms clusters before anything of it is taught. An answer settles a glyph as far as that is doubtful and
likely the same. Questions are chosen greedily for the doubt that they remove (Nemhauser, Wolsey and Fisher, "An
analysis of approximations for maximizing submodular set functions", 1978): first the middles of large clusters of
unknown glyphs, then what is unsure and frequent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.adaptation import Basis
from haleganada_server.core.fewshot.densities import predictive_densities, predictive_variance
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.reading.page import PageReading, Question, QuestionKind, TextGlyph

from .page import TaughtPage

MOST_QUESTIONS = 20
_MOST_GLYPHS = 1_500  # that are compared; those that are most doubtful
_SAME_AT, _SAME_SCALE = 35.0, 8.0  # nats of evidence at which two glyphs are as likely the same as not, and its scale
_SIMILAR = 0.5  # probability of being the same
_LEAST_GAIN = 0.8  # glyphs that an answer is expected to put right, at least
_UNSURE = 0.7  # of the doubt about what was read, that is justified
_DOUBTFUL = 0.05  # doubt from which on a glyph is worth asking for

Floats = NDArray[np.float64]


def find_questions(
    page: TaughtPage,
    reading: PageReading,
    knowledge: Knowledge,
    parameters: HeadParameters,
    most: int = MOST_QUESTIONS,
) -> tuple[Question, ...]:
    """Return what to ask about a reading of a page, the best first. page: embedded."""
    glyphs = _choose_doubtful(reading)
    if not glyphs:
        return ()
    rows = [page.lattice.find_group(glyph.glyph_id or 0) for glyph in glyphs]
    same = measure_sameness(knowledge.head.basis, page.project(parameters.projection)[rows])
    doubts = np.array([_doubt(glyph) for glyph in glyphs])
    return tuple(_ask(glyphs, same, chosen) for chosen in _choose(same, doubts, most))


def measure_sameness(basis: Basis, vectors: Floats) -> Floats:
    """(n, k) projected vectors -> (n, n) probabilities that two glyphs are the same; 1 for each with itself."""
    weighted_mean, constant = predictive_densities(basis, np.ones(len(vectors), np.int64), vectors)
    vectors = vectors @ basis.matrix
    squares = vectors * vectors
    alike = vectors @ weighted_mean.T - 0.5 * (squares @ (1 / predictive_variance(basis.between, 1)))[:, None]
    other = -0.5 * (squares @ (1 / predictive_variance(basis.between, 0)) + np.log1p(basis.between).sum())
    evidence = alike - 0.5 * constant[None, :] - other[:, None]
    same = 1 / (1 + np.exp(np.clip((_SAME_AT - (evidence + evidence.T) / 2) / _SAME_SCALE, -50, 50)))
    np.fill_diagonal(same, 1.0)
    return np.asarray(same)


def _choose_doubtful(reading: PageReading) -> list[TextGlyph]:
    doubtful = [glyph for glyph in reading.glyphs if _doubt(glyph) >= _DOUBTFUL]
    return sorted(doubtful, key=_doubt, reverse=True)[:_MOST_GLYPHS]


def _doubt(glyph: TextGlyph) -> float:
    """Return how likely it is that a glyph is not what was read, 0 to 1."""
    if glyph.is_settled or glyph.glyph_id is None:
        return 0.0
    return _UNSURE * (1.0 - (glyph.confidence or 0.0)) if glyph.text else 1.0


def _choose(same: Floats, doubts: Floats, most: int) -> list[int]:
    """Return which glyphs to ask for, the best first."""
    chosen: list[int] = []
    doubts = doubts.copy()
    while len(chosen) < min(most, len(doubts)):
        gains = same @ doubts
        gains[chosen] = -1
        best = int(np.argmax(gains))
        if gains[best] < _LEAST_GAIN:
            break
        chosen.append(best)
        doubts *= 1 - same[best]
    return chosen


def _ask(glyphs: Sequence[TextGlyph], same: Floats, chosen: int) -> Question:
    others = [
        i for i in np.argsort(-same[chosen], kind="stable").tolist() if i != chosen and same[chosen, i] >= _SIMILAR
    ]
    return Question(
        glyph_id=glyphs[chosen].glyph_id or 0,
        similar=tuple(glyphs[i].glyph_id or 0 for i in others),
        kind=QuestionKind.UNSURE if glyphs[chosen].text else QuestionKind.UNKNOWN,
    )
