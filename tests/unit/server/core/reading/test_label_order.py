"""How labels follow each other, and what that says of a glyph between its neighbors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from haleganada_server.core.reading.page import GlyphCandidate
from haleganada_server.core.reading.taught.assembly import FoundGlyph
from haleganada_server.core.reading.taught.label_order import SPACE, START, LabelOrder, Run, split_runs
from haleganada_server.core.reading.taught.label_prior import Trial, choose_weight, weigh_neighbors
from hypothesis import given
from hypothesis import strategies as st

TOKENS = ("ಕ", "ಖ", "ಗ", SPACE)
runs_of = st.lists(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8).map(tuple), max_size=6)
TEXT: list[Run] = [(START, "ಕ", "ಖ", "ಗ", SPACE, "ಕ", "ಖ", "ಗ")] * 5


def ask(order: LabelOrder, without: LabelOrder | None = None) -> list[float]:
    contexts = [(), ("ಕ",), ("ಖ", "ಕ"), (START, "ಗ"), ("ಕ", SPACE)]
    return [order.log_probability(token, context, without) for token in (*TOKENS, "ಙ") for context in contexts]


def test_what_was_seen_is_expected_and_anything_is_possible() -> None:
    order = LabelOrder(TEXT)
    expected, other = (order.log_probability(one, ("ಕ", "ಖ")) for one in ("ಗ", "ಕ"))
    assert expected > math.log(0.8) and other < math.log(0.1)
    assert math.isfinite(order.log_probability("ಙ", ("ಙ", "ಙ")))
    assert sum(math.exp(order.log_probability(one, ("ಕ",))) for one in TOKENS) <= 1


@given(runs_of, runs_of)
def test_learning_later_is_learning_at_once(first: list[Run], second: list[Run]) -> None:
    begun = LabelOrder(first)
    before = ask(begun)
    assert ask(begun.extend(second)) == pytest.approx(ask(LabelOrder([*first, *second])))
    assert ask(begun) == before


@given(runs_of, runs_of)
def test_what_is_left_out_had_not_been_learned(first: list[Run], second: list[Run]) -> None:
    assert ask(LabelOrder([*first, *second]), LabelOrder(second)) == pytest.approx(ask(LabelOrder(first)))


def test_what_is_unknown_parts_runs() -> None:
    assert split_runs([START, "ಕ", "ಖ", None, "ಗ", SPACE, None, START, None]) == ((START, "ಕ", "ಖ"), ("ಗ", SPACE))


def glyph(text: str, probability: float = 1.0, *, is_settled: bool = False) -> FoundGlyph:
    candidates = [GlyphCandidate(text=text, probability=probability)]
    candidates += [GlyphCandidate(text="ಙ" if text == "ಗ" else "ಗ", probability=1 - probability)]
    return FoundGlyph(0, text, 0.9 * probability, tuple(candidates), 7, is_settled)


def weigh(glyphs: list[FoundGlyph], weight: float = 0.5) -> list[FoundGlyph]:
    return weigh_neighbors(glyphs, [0] * len(glyphs), [False] * len(glyphs), LabelOrder(TEXT), weight)


def test_a_doubtful_glyph_is_what_its_neighbors_say() -> None:
    read = weigh([glyph("ಕ"), glyph("ಖ"), glyph("ಙ", 0.6)])
    assert [one.text for one in read] == ["ಕ", "ಖ", "ಗ"]
    assert [one.text for one in read[2].candidates] == ["ಗ", "ಙ"]
    assert sum(one.probability for one in read[2].candidates) == pytest.approx(1)
    assert read[2].confidence == pytest.approx(0.9 * read[2].candidates[0].probability)


def test_sure_and_unknown_glyphs_stay_and_weight_0_changes_nothing() -> None:
    glyphs = [glyph("ಕ"), glyph("ಖ"), glyph("ಙ", 0.999)]
    assert weigh(glyphs) == glyphs
    unknown = [glyph("ಕ"), glyph("ಖ"), FoundGlyph(0, "", 0.0, glyph("ಙ", 0.6).candidates)]
    assert weigh(unknown) == unknown
    doubtful = [glyph("ಕ"), glyph("ಖ"), glyph("ಙ", 0.6)]
    assert weigh(doubtful, 0.0) == doubtful


@given(st.lists(st.tuples(st.sampled_from("ಕಖಗಙ"), st.floats(0.5, 1), st.booleans()), min_size=1, max_size=9))
def test_settled_glyphs_never_change(written: list[tuple[str, float, bool]]) -> None:
    glyphs = [glyph(text, probability, is_settled=settled) for text, probability, settled in written]
    for before, after in zip(glyphs, weigh(glyphs, 1.0), strict=True):
        assert after == before or not before.is_settled


def test_the_order_counts_as_much_as_it_has_explained() -> None:
    def trial(own: str, other: str, context: Run) -> Trial:
        return Trial([own, other], np.log([0.4, 0.6]), 0, context, LabelOrder())

    order = LabelOrder(TEXT)
    assert choose_weight(order, [trial("ಗ", "ಙ", ("ಕ", "ಖ"))] * 4) > 0
    assert choose_weight(order, [trial("ಙ", "ಗ", ("ಕ", "ಖ"))] * 4) == 0
    assert choose_weight(order, []) == 0
    alone = [trial("ಗ", "ಙ", ("ಕ", "ಖ"))] * 4  # the line itself has all that was learned
    assert choose_weight(order, [Trial(one.candidates, one.logs, 0, one.context, order) for one in alone]) == 0
