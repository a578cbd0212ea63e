"""Words that are expected: what else is read costs something, once, and only where the picture leaves it open."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from haleganada_server.core.lines.alphabet import Alphabet, SymbolKind
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.decoding import Probabilities
from haleganada_server.core.lines.lexicon import COST, Lexicon
from haleganada_server.core.lines.ngram import SymbolOrder
from hypothesis import given
from hypothesis import strategies as st

LATIN = Alphabet(tuple("abct AC,"))


def cost(lexicon: Lexicon, text: str) -> float:
    numbers = lexicon.alphabet.encode(text)
    steps = sum(lexicon.score(numbers[:place], number) for place, number in enumerate(numbers))
    return -(steps + lexicon.score_end(numbers))


@given(st.lists(st.text("abct", min_size=1, max_size=4), max_size=5), st.text("abctAC ,", max_size=12))
def test_each_word_that_is_not_in_the_lexicon_costs_once(words: list[str], text: str) -> None:
    written = [word for word in text.lower().replace(",", " ").split() if word]
    expected = COST * sum(word not in words for word in written)
    assert cost(Lexicon(LATIN, words), text) == pytest.approx(expected)


def test_marks_part_words_and_units_of_kannada_are_followed() -> None:
    assert cost(Lexicon(LATIN, ["ab,ca"]), "ab ca") == 0
    words = ("ಕ್ಷಿತಿ", "ರಾಜ್ಯ")
    kannada = Alphabet.of_texts([*words, "ರಾಜ ೧,"])
    assert kannada.kind is SymbolKind.UNITS
    assert cost(Lexicon(kannada, words), "ಕ್ಷಿತಿ, ರಾಜ್ಯ ೧") == 0
    assert cost(Lexicon(kannada, words), "ರಾಜ") == COST


def read(text: str, second: dict[int, tuple[str, float]]) -> Probabilities:
    """Return a line on which a text is clear, but for letters that may be others, with these probabilities."""
    rows = np.full((2 * len(text), len(LATIN.symbols) + 1), 1e-6)
    for place, letter in enumerate(text):
        other, share = second.get(place, (letter, 0.0))
        rows[2 * place, LATIN.encode(other)[0]] += share
        rows[2 * place, LATIN.encode(letter)[0]] += 1 - share
        rows[2 * place + 1, 0] = 1
    return np.asarray(rows / rows.sum(1, keepdims=True), np.float32)


@pytest.mark.parametrize("order", [None, SymbolOrder.learn([LATIN.encode("ab cat")], len(LATIN.symbols))])
def test_the_lexicon_decides_what_the_picture_leaves_open(order: SymbolOrder | None) -> None:
    decoder, lexicon = LineDecoder(order, 0.3, 0.1), Lexicon(LATIN, ["cat", "ab"])
    doubtful = read("cab ab", {2: ("t", 0.3)})

    def texts(seen: Probabilities, known: Lexicon | None) -> list[str]:
        return [LATIN.decode(one.numbers) for one in decoder.list_hypotheses(seen, 3, known)]

    assert texts(doubtful, lexicon)[0] == "cat ab"
    if order is None:
        assert texts(doubtful, None)[:2] == ["cab ab", "cat ab"]
    assert texts(read("cab ab", {2: ("t", 0.002)}), lexicon)[0] == "cab ab", "what is clear stays"
    scores = [one.score for one in decoder.list_hypotheses(doubtful, 3, lexicon)]
    assert all(first >= second for first, second in itertools.pairwise(scores))
