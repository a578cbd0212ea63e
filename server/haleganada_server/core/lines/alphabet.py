"""What a line recognizer tells apart: symbols, and how a text is made of them.

Most scripts are read code point by code point. Kannada is read in units, in the order in which they stand in a line: a
consonant with its vowel sign is one unit (ದಿ), each consonant below it another (್ದ), and a ರ್ that stands behind its
cluster (arkāvattu) a third. Texts that differ only in joiners that change nothing have the same units.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

_CONSONANT = "[\u0c95-\u0cb9\u0cdd\u0cde]"
_SIGNS = "[\u0cbe-\u0ccc\u0cd5\u0cd6]+"
_VIRAMA, _RA, _ZWJ, _ZWNJ = "\u0ccd", "\u0cb0", "\u200d", "\u200c"
REPH = _ZWJ + _RA + _VIRAMA
"""The unit of a ರ್ behind its cluster; the joiner tells it from a ರ್ at the end of a word."""

_CLUSTER = re.compile(
    f"({_RA}{_VIRAMA}(?={_CONSONANT}))?({_CONSONANT})((?:{_ZWJ}?{_VIRAMA}{_CONSONANT})*)({_VIRAMA}|{_SIGNS})?"
)
_BASE = re.compile(f"({_CONSONANT})({_VIRAMA}|{_SIGNS})?")
_BELOW = re.compile(f"{_VIRAMA}{_CONSONANT}")
_KANNADA = re.compile("[\u0c80-\u0cff]")
_UNITS_SHARE = 0.2  # of the characters that are Kannada, from which on a text is read in units


class SymbolKind(Enum):
    """What the symbols of an alphabet are. The value is what is stored."""

    POINTS = "points"
    UNITS = "units"


Cluster = tuple[str, int, int]
"""A text, and where its symbols begin and end."""


@dataclass(frozen=True)
class Alphabet:
    """symbols: distinct, none of them empty; the number of the first one is 1, because 0 stands for no symbol (CTC's
    blank).
    """

    symbols: tuple[str, ...]
    kind: SymbolKind = SymbolKind.POINTS

    @staticmethod
    def of_texts(texts: Sequence[str], known: Alphabet | None = None) -> Alphabet:
        """Return the alphabet of these texts; behind those of a known one, whose kind it has, if that is given."""
        kind = known.kind if known else choose_kind(texts)
        before = known.symbols if known else ()
        new = {symbol for text in texts for symbol in cut(text, kind)}.difference(before)
        return Alphabet((*before, *sorted(new)), kind)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols, 1)}

    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text's symbols. Raises KeyError with a symbol that is not in the alphabet."""
        return [self._numbers[symbol] for symbol in cut(text, self.kind)]

    def covers(self, text: str) -> bool:
        """Tell whether the alphabet has all symbols of a text."""
        return all(symbol in self._numbers for symbol in cut(text, self.kind))

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of symbols, given by their numbers."""
        return join([self.symbols[number - 1] for number in numbers], self.kind)


def choose_kind(texts: Iterable[str]) -> SymbolKind:
    """Return UNITS for texts in Kannada, POINTS for others."""
    characters = kannada = 0
    for text in texts:
        characters += len(text)
        kannada += len(_KANNADA.findall(text))
    return SymbolKind.UNITS if kannada > _UNITS_SHARE * characters else SymbolKind.POINTS


def cut(text: str, kind: SymbolKind) -> list[str]:
    """Return the symbols of a text."""
    if kind is SymbolKind.POINTS:
        return list(text)
    symbols: list[str] = []
    end = 0
    for found in _CLUSTER.finditer(text):
        symbols += text[end : found.start()]
        reph, base, below, sign = found.groups(default="")
        symbols += [base + sign, *_BELOW.findall(below), *([REPH] if reph else [])]
        end = found.end()
    symbols += text[end:]
    return [symbol for symbol in symbols if symbol not in (_ZWJ, _ZWNJ)]


def join(symbols: Sequence[str], kind: SymbolKind) -> str:
    """Return the text of symbols: of what cut returns, a text with the same symbols."""
    return "".join(text for text, _, _ in list_clusters(symbols, kind))


def list_clusters(symbols: Sequence[str], kind: SymbolKind) -> list[Cluster]:
    """Return symbols as readers take them together: a letter with its marks, a consonant with what belongs to it."""
    clusters: list[Cluster] = []
    place = 0
    while place < len(symbols):
        text, end = _read_unit(symbols, place) if kind is SymbolKind.UNITS else (symbols[place], place + 1)
        while end < len(symbols) and _is_mark(symbols[end]):
            text, end = text + symbols[end].replace(_ZWJ, ""), end + 1
        clusters.append((text, place, end))
        place = end
    return clusters


def _read_unit(symbols: Sequence[str], place: int) -> tuple[str, int]:
    """Return the text of the unit at a place with those that belong to it, and where the next one begins."""
    base = _BASE.fullmatch(symbols[place])
    if base is None:
        return symbols[place].replace(_ZWJ, ""), place + 1
    start = end = place + 1
    while end < len(symbols) and _BELOW.fullmatch(symbols[end]):
        end += 1
    has_reph = end < len(symbols) and symbols[end] == REPH
    text = _make_cluster(base[1], "".join(symbols[start:end]), base[2] or "", has_reph)
    end += has_reph
    if text.endswith(_VIRAMA) and end < len(symbols) and _BASE.fullmatch(symbols[end]):
        text += _ZWNJ  # or the next consonant would go below
    return text, end


def _is_mark(symbol: str) -> bool:
    return unicodedata.category(symbol[0])[0] == "M" and not _BELOW.fullmatch(symbol)


def _make_cluster(base: str, below: str, sign: str, has_reph: bool) -> str:
    if has_reph:
        return _RA + _VIRAMA + base + below + sign
    joiner = _ZWJ if base == _RA and below else ""  # or the ರ್ would go behind
    return base + joiner + below + sign
