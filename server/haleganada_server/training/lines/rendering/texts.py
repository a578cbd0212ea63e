"""What rendered lines say: runs of words of a text, or words of a list in any order, with punctuation and numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.lines.texts import clean_line

_LIST_WORDS = 1.5  # in a row of a list, on average
_LONGEST_WORD = 40  # characters
_WORDS = (1, 6)
_LONGEST = 80  # characters of a line
_MARKS = (",", ",", ",", ".", ".", ".", "?", "!", ";", ":")


@dataclass(frozen=True)
class LineTexts:
    """words: of a text in their order, or of a list. is_list: they are drawn in any order, and get punctuation and
    numbers. digits: of the text's script, "" if they are the common ones.
    """

    words: Sequence[str]
    is_list: bool
    digits: str

    @staticmethod
    def of_text(text: str) -> LineTexts:
        """Raises InvalidInput for a text without words."""
        rows = [words for row in text.splitlines() if (words := clean_line(row).split())]
        words = [word for row in rows for word in row if len(word) <= _LONGEST_WORD]
        if not words:
            raise InvalidInput("text", "has no words; give a text in UTF-8, or a list of words")
        return LineTexts(words, len(words) <= _LIST_WORDS * len(rows), _find_digits(words))

    def draw(self, rng: np.random.Generator) -> str:
        """Return the text of one line."""
        count = int(rng.integers(_WORDS[0], _WORDS[1] + 1))
        if self.is_list:
            chosen = [self._decorate(str(self.words[i]), rng) for i in rng.integers(len(self.words), size=count)]
        else:
            start = int(rng.integers(max(1, len(self.words) - count + 1)))
            chosen = list(self.words[start : start + count])
        while len(chosen) > 1 and sum(map(len, chosen)) + len(chosen) > _LONGEST:
            chosen.pop()
        return clean_line(" ".join(chosen))

    def _decorate(self, word: str, rng: np.random.Generator) -> str:
        kind = rng.random()
        if kind < 0.22:
            return word + str(rng.choice(_MARKS))
        if kind < 0.28:
            left, right = (("“", "”"), ("‘", "’"), ('"', '"'), ("'", "'"), ("(", ")"))[int(rng.integers(5))]
            return left + word + right
        if kind < 0.30:
            return f"{word}-{self.words[int(rng.integers(len(self.words)))]}"
        if kind < 0.34:
            digits = self.digits if self.digits and rng.random() < 0.6 else "0123456789"
            return "".join(digits[i] for i in rng.integers(10, size=int(rng.integers(1, 5))))
        return word


def _find_digits(words: Sequence[str]) -> str:
    """Return the ten digits of the script that most letters are in; "" if it has none of its own."""
    letters = [word[0] for word in words[:: max(1, len(words) // 1000)] if word[0].isalpha()]
    scripts = [unicodedata.name(letter, "").split(" ")[0] for letter in letters]
    script = max(sorted(set(scripts)), key=scripts.count, default="LATIN")
    names = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
    try:
        return "".join(unicodedata.lookup(f"{script} DIGIT {name}") for name in names)
    except KeyError:
        return ""
