"""Reads words.txt of the IAM handwriting database.

A line is "a01-000u-00-00 ok 154 408 768 27 51 AT A": id, result of the segmentation (ok or err), gray level, box (x, y,
width, height), grammatical tag, text. Lines that begin with # are comments. A text may have spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..outlines import Box
from ..texts import on_one_line
from .faults import bad_line

_ID = re.compile(r"(?P<form>.+)-(?P<line>\d{1,6})-(?P<word>\d{1,6})")
_RESULTS = ("ok", "err")
_FIELDS = 9
_EXAMPLE = "a01-000u-00-00 ok 154 408 768 27 51 AT A"
_MOST = 10**6  # px


@dataclass(frozen=True, slots=True)
class ListedWord:
    """A word. form: names its page. line: its number on the page; None = unknown. box: on the page, None = unknown."""

    word_id: str
    form: str
    line: int | None
    text: str = ""
    box: Box | None = None


def split_id(word_id: str) -> tuple[str, int | None]:
    """Return the form and the number of the line that an id tells; "" and None if it tells none."""
    match = _ID.fullmatch(word_id)
    return (match["form"], int(match["line"])) if match else ("", None)


def parse_words(data: bytes) -> Iterator[ListedWord]:
    """Yield the words of words.txt. Raises Precondition for the first line that is wrong."""
    seen: set[str] = set()
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        try:
            line = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise bad_line(number, "is not UTF-8; save the file as UTF-8") from None
        if line and not line.startswith("#"):
            word = _parse_line(number, line)
            if word.word_id in seen:
                raise bad_line(number, f"has the id “{word.word_id}” of another line; give each word its own")
            seen.add(word.word_id)
            yield word


def _parse_line(number: int, line: str) -> ListedWord:
    fields = line.split(maxsplit=_FIELDS - 1)
    if len(fields) < _FIELDS:
        raise bad_line(number, f"has {len(fields)} fields, not {_FIELDS}; write it like “{_EXAMPLE}”")
    word_id, result, _, *box, _, text = fields
    form, row = split_id(word_id)
    if not form:
        raise bad_line(number, f"has the id “{word_id}”, which does not end with the numbers of line and word")
    if result not in _RESULTS:
        raise bad_line(number, f"has “{result}” where “ok” or “err” tells whether the word was cut out right")
    return ListedWord(word_id, form, row, on_one_line(text), _parse_box(number, box, result))


def _parse_box(number: int, fields: list[str], result: str) -> Box | None:
    """Return None for a box that is unknown, which only a word that was cut out wrong may have."""
    try:
        x, y, width, height = (int(field) for field in fields)
    except ValueError:
        raise bad_line(number, f"has the box “{' '.join(fields)}”, which is not four whole numbers") from None
    if min(x, y) >= 0 and min(width, height) > 0 and max(x + width, y + height) <= _MOST:
        return Box(x, y, x + width, y + height)
    if result == "err":
        return None
    raise bad_line(number, f"has the box “{' '.join(fields)}”, which cannot be; mark the word “err” if it is unknown")
