"""Words that a text is expected to consist of: what is known of it besides its picture and the order of its symbols.

Other words can still be read, where the picture is clear: each costs as much as if its picture were a hundred and fifty
times less probable. Capitals count as small letters, and everything but letters parts words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .alphabet import Alphabet, cut

COST = 5.0
"""Of a word that is not in the lexicon: a difference of logs of probabilities."""

_END = ""  # of a word, in the tree


@dataclass(frozen=True, eq=False)
class Lexicon:
    """alphabet: in which symbols have their numbers. words: in any order."""

    alphabet: Alphabet
    words: Iterable[str]
    _states: dict[tuple[int, ...], _Tree | None] = field(default_factory=dict, repr=False)

    @cached_property
    def _tree(self) -> _Tree:
        tree = _Tree()
        for word in _split(symbol for text in self.words for symbol in (*cut(text, self.alphabet.kind), " ")):
            node = tree
            for symbol in word:
                node = node.setdefault(symbol, _Tree())
            node[_END] = _Tree()
        return tree

    @cached_property
    def _letters(self) -> list[str]:
        """By the number of each symbol, how it is written in the tree; "" for what parts words."""
        return ["", *(_fold(symbol) for symbol in self.alphabet.symbols)]

    def score(self, before: Sequence[int], symbol: int) -> float:
        """Return what a symbol behind others costs, 0 or less: once for each word, where it is seen to be another."""
        node = self._find(before)
        if node is None:
            return 0.0  # said already
        if letter := self._letters[symbol]:
            return 0.0 if letter in node else -COST
        return 0.0 if node is self._tree or _END in node else -COST

    def score_end(self, text: Sequence[int]) -> float:
        """Return what it costs that a text ends, 0 or less."""
        node = self._find(text)
        return 0.0 if node is None or node is self._tree or _END in node else -COST

    def _find(self, text: Sequence[int]) -> _Tree | None:
        """Return where in the tree the word at the end of a text leads; the tree itself if it ends in none, None if no
        word begins so.
        """
        start = len(text)
        while start and self._letters[text[start - 1]]:
            start -= 1
        word = tuple(text[start:])
        if word not in self._states:
            node: _Tree | None = self._tree
            for symbol in word:
                node = node.get(self._letters[symbol]) if node is not None else None
            self._states[word] = node
        return self._states[word]


class _Tree(dict[str, "_Tree"]):
    """What may follow the beginning of a word."""


def _split(symbols: Iterable[str]) -> Iterable[list[str]]:
    """Yield words, as symbols in the form that the tree has."""
    word: list[str] = []
    for symbol in symbols:
        if letter := _fold(symbol):
            word.append(letter)
        elif word:
            yield word
            word = []


def _fold(symbol: str) -> str:
    """Return a symbol with its letters small; "" unless it is made of letters and marks."""
    marks = all(unicodedata.category(character)[0] in "LM" or character == "\u200d" for character in symbol)
    return symbol.casefold() if marks and symbol else ""
