"""Symbols of texts: what a Kannada unit is, and that texts and symbols lead back to each other."""

from __future__ import annotations

import unicodedata

import pytest
from haleganada_server.core.lines.alphabet import REPH, Alphabet, SymbolKind, choose_kind, cut, join, list_clusters
from hypothesis import given
from hypothesis import strategies as st

CONSONANTS = "ಕಖಗಘಚಜಟಡಣತದನಪಬಮಯರಲವಶಷಸಹಳಱೞ"
SIGNS = ["", "ಾ", "ಿ", "ೀ", "ು", "ೂ", "ೃ", "ೆ", "ೇ", "ೈ", "ೊ", "ೋ", "ೌ"]


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("ದಿ", ["ದಿ"]),
        ("ಕ್ಷಿ", ["ಕಿ", "್ಷ"]),
        ("ಸ್ತ್ರೀ", ["ಸೀ", "್ತ", "್ರ"]),
        ("ರ್ಕಿ", ["ಕಿ", REPH]),
        ("ಅರ್ಥಂ", ["ಅ", "ಥ", REPH, "ಂ"]),
        ("ಕಾರ್", ["ಕಾ", "ರ್"]),
        ("ರ\u200d್ಯಾಂಕ್", ["ರಾ", "್ಯ", "ಂ", "ಕ್"]),
        ("ಕ್\u200cಷ", ["ಕ್", "ಷ"]),
        ("a1, ೯", ["a", "1", ",", " ", "೯"]),
    ],
)
def test_kannada_is_cut_into_what_stands_in_a_line(text: str, symbols: list[str]) -> None:
    assert cut(text, SymbolKind.UNITS) == symbols
    assert join(symbols, SymbolKind.UNITS) == text


clusters = st.builds(
    lambda reph, base, below, sign, end: reph + base + "".join(f"್{one}" for one in below) + sign + end,
    st.sampled_from(["", "", "ರ್"]),
    st.sampled_from(CONSONANTS.replace("ರ", "")),
    st.lists(st.sampled_from(CONSONANTS), max_size=2),
    st.sampled_from(SIGNS),
    st.sampled_from(["", "", "ಂ", "ಃ", " ", ",", "a", "೧"]),
)


@given(st.lists(clusters, max_size=8).map("".join))
def test_kannada_survives_being_cut_and_joined(text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    assert join(cut(text, SymbolKind.UNITS), SymbolKind.UNITS) == text


@given(st.lists(st.sampled_from(["ಕ", "ಕಿ", "ರ", "್ಷ", "್ರ", "ರ್", REPH, "ಂ", " ", "x", "ಾ"]), max_size=12))
def test_any_symbols_that_a_network_may_say_make_a_text(symbols: list[str]) -> None:
    text = join(symbols, SymbolKind.UNITS)
    found = list_clusters(symbols, SymbolKind.UNITS)
    assert "".join(own for own, _, _ in found) == text
    assert [place for _, start, end in found for place in range(start, end)] == list(range(len(symbols)))


@given(st.text(max_size=30))
def test_code_points_are_their_own_symbols(text: str) -> None:
    assert join(cut(text, SymbolKind.POINTS), SymbolKind.POINTS) == text


def test_the_kind_of_symbols_follows_from_the_script() -> None:
    assert choose_kind(["ಕನ್ನಡ ಪದಗಳು", "page 12"]) is SymbolKind.UNITS
    assert choose_kind(["Kannada ಕ words and many more letters", "mots"]) is SymbolKind.POINTS
    assert choose_kind([]) is SymbolKind.POINTS


def test_an_alphabet_grows_behind_the_symbols_that_are_known() -> None:
    known = Alphabet.of_texts(["ba"])
    grown = Alphabet.of_texts(["cab é"], known)
    assert known.symbols == ("a", "b")
    assert grown.symbols == ("a", "b", " ", "c", "é")
    assert grown.encode("cab") == [4, 1, 2]
    assert grown.decode([4, 1, 2]) == "cab"
    assert known.covers("abba")
    assert not known.covers("abc")
    with pytest.raises(KeyError):
        known.encode("c")


def test_a_known_alphabet_says_how_texts_are_cut() -> None:
    units = Alphabet(("ಕ",), SymbolKind.UNITS)
    assert Alphabet.of_texts(["abc"], units).kind is SymbolKind.UNITS
