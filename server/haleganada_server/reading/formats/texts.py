"""Text as files can have it, and how the words of a line are joined."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import zip_longest

from haleganada_server.core.reading.page import TextLine, TextWord

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RIGHT_TO_LEFT = ("R", "AL")


def clean_text(text: str) -> str:
    """Return the text without what XML and UTF-8 do not have: control characters, half surrogate pairs, U+FFFE."""
    return _FORBIDDEN.sub("", text)


def on_one_line(text: str) -> str:
    """Return clean text whose runs of white space are single spaces."""
    return " ".join(clean_text(text).split())


def is_right_to_left(text: str) -> bool:
    """Return whether the first letter that has a direction is written from right to left."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction == "L" or direction in _RIGHT_TO_LEFT:
            return direction in _RIGHT_TO_LEFT
    return False


def join_words(line: TextLine) -> Iterator[tuple[TextWord, str]]:
    """Yield each word of a line with what stands between it and the next one: a space, or nothing in scripts that
    write none.
    """
    end = 0
    for word, following in zip_longest(line.words, line.words[1:]):
        start = line.text.find(word.text, end)
        end = start + len(word.text) if start >= 0 else end
        if following is None:
            yield word, ""
        else:
            joined = start >= 0 and bool(following.text) and line.text.startswith(following.text, end)
            yield word, "" if joined else " "
