"""What readers take for one character: a letter with its marks, an akshara with its conjuncts."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
_VIRAMA = 9  # combining class of the signs that join two consonants


def split_graphemes(text: str) -> list[str]:
    """Return the characters of a text as its readers count them: "ಕ್ಷಮೆ" has two. Spaces are characters, too."""
    found: list[str] = []
    for character in text:
        if found and _continues(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _continues(cluster: str, character: str) -> bool:
    kind = unicodedata.category(character)
    if kind.startswith("M") or kind == "Cf":
        return True
    joined = cluster.rstrip("\u200c\u200d")
    after_virama = bool(joined) and unicodedata.combining(joined[-1]) == _VIRAMA
    return (kind.startswith("L") and after_virama) or cluster[-1] == _JOINER
