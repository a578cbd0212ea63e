"""The text that a page of a PDF has already, as lines of words of glyphs.

PDFium tells the characters in the order of the file, and where it takes a space or the end of a line for granted. Lines
are parted there, and also where the next character is elsewhere. The order of the file is kept: it is the order in
which the text was written or, behind a scan, recognized.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from haleganada_server.core.reading.page import TEXT_LAYER, Polygon, TextGlyph, TextLine, TextWord

_MAX_CHARACTERS = 200_000
"""Of one page. A page of a newspaper has 30,000."""
_UNKNOWN = 0.2
"""Part of characters of which the file does not say what they are; from there on, reading the picture is better."""
_GAP = 3.0
"""Heights of a character; a gap that is wider parts a line in two, as between columns."""
_VIRAMA = 9  # as a class of combining characters
_HYPHENS = ("\x02", "\ufffe", "\u00ad")
"""What PDFium makes of a hyphen at the end of a line."""

Affine = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Character:
    """box: left, top, right, bottom in px along the line, in axes that are turned by `turn` (radians, clockwise)."""

    text: str
    box: tuple[float, float, float, float]
    turn: float

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]


def read_text_lines(page: pdfium.PdfPage, width: int, height: int) -> list[TextLine]:
    """Return the lines in px of the page as it is drawn at width x height; none if the text cannot be relied on."""
    scaling, rotation = _find_scaling(page, width, height), page.get_rotation()
    with contextlib.closing(page.get_textpage()) as text_page:
        count = text_page.count_chars()
        if not 0 < count <= _MAX_CHARACTERS:
            return []
        unknown = sum(pdfium_c.FPDFText_HasUnicodeMapError(text_page, i) == 1 for i in range(count))
        if unknown > _UNKNOWN * count:
            return []
        leveling = _find_leveling(text_page, count)
    page.set_rotation(leveling)
    try:
        with contextlib.closing(page.get_textpage()) as text_page:
            characters = _read_characters(text_page, text_page.count_chars(), scaling, (width, height))
            return [_make_line(words) for words in _part_lines(characters)]
    finally:
        page.set_rotation(rotation)


def _find_leveling(text_page: pdfium.PdfTextPage, count: int) -> int:
    """Return the /Rotate, in degrees, with which most text would be level. PDFium puts what is at one height into one
    line, so it must see the page like that.
    """
    turns = [pdfium_c.FPDFText_GetCharAngle(text_page, i) for i in range(0, count, max(1, count // 500))]
    quarters = np.array([round(turn / (math.pi / 2)) % 4 for turn in turns if turn >= 0])
    return int(-np.bincount(quarters, minlength=4).argmax() % 4) * 90


def _find_scaling(page: pdfium.PdfPage, width: int, height: int) -> Affine:
    """(2, 3): points of the page's own axes -> px of the drawn page; /Rotate and the crop box are in it."""
    left, bottom, right, top = page.get_bbox()
    corners = {
        0: ((left, top), (right, top), (left, bottom)),
        90: ((left, bottom), (left, top), (right, bottom)),
        180: ((right, bottom), (left, bottom), (right, top)),
        270: ((right, top), (right, bottom), (left, top)),
    }[page.get_rotation()]  # of the drawn page: upper left, upper right, lower left
    source = np.array([[x, y, 1.0] for x, y in corners])
    target = np.array([[0.0, 0.0], [width, 0.0], [0.0, height]])
    return np.linalg.solve(source, target).T


def _read_characters(
    text_page: pdfium.PdfTextPage, count: int, scaling: Affine, size: tuple[int, int]
) -> Iterator[_Character | str]:
    """Yield characters, "\\n" for the end of a line, and " " between words."""
    box = pdfium_c.FS_RECTF()
    turned = math.atan2(scaling[1, 0], scaling[0, 0])  # how the page's own x axis lies on the drawn page
    for i in range(count):
        text = _read_character(text_page, i)
        if text.isspace():
            yield "\n" if text in "\r\n" else " "
            continue
        if not text or not pdfium_c.FPDFText_GetLooseCharBox(text_page, i, ctypes.byref(box)):
            continue
        corners = np.array([[box.left, box.top], [box.right, box.top], [box.right, box.bottom], [box.left, box.bottom]])
        corners = corners @ scaling[:, :2].T + scaling[:, 2]
        center = corners.mean(axis=0)
        if not np.isfinite(corners).all() or not ((center >= 0) & (center <= size)).all():
            continue  # outside of what a viewer shows
        turn = _round_turn(turned + pdfium_c.FPDFText_GetCharAngle(text_page, i))
        along = corners @ _axes(turn).T
        yield _Character(text, (*along.min(axis=0), *along.max(axis=0)), turn)


def _read_character(text_page: pdfium.PdfTextPage, index: int) -> str:
    """Return the character, "" for what is none."""
    code = pdfium_c.FPDFText_GetUnicode(text_page, index)
    if not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        return ""
    text = chr(code)
    if text in _HYPHENS:
        return "-"
    return text if text.isspace() or unicodedata.category(text) not in ("Cc", "Cn", "Co") else ""


def _round_turn(turn: float) -> float:
    """Make turns by nearly a quarter exact, so that boxes of upright text have level sides."""
    quarters = round(turn / (math.pi / 2))
    return quarters * math.pi / 2 if abs(turn - quarters * math.pi / 2) < 0.01 else turn


def _axes(turn: float) -> Affine:
    """(2, 2): px of the page -> px along a line that is turned clockwise."""
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.array([[cosine, sine], [-sine, cosine]])


def _part_lines(characters: Iterator[_Character | str]) -> Iterator[list[list[_Character]]]:
    """Yield the words of each line."""
    words: list[list[_Character]] = []
    word: list[_Character] = []
    for character in characters:
        if isinstance(character, str):
            if word:
                words.append(word)
                word = []
            if character == "\n" and words:
                yield words
                words = []
            continue
        last = word[-1] if word else words[-1][-1] if words else None
        if last is not None and not _continues(last, character):
            yield [*words, word] if word else words
            words, word = [], []
        word.append(character)
    if word:
        words.append(word)
    if words:
        yield words


def _continues(last: _Character, character: _Character) -> bool:
    """Whether a character stands in the line of the one before it."""
    if abs(math.remainder(character.turn - last.turn, 2 * math.pi)) > 0.1:
        return False
    size = max(last.height, character.height)
    overlap = min(last.box[3], character.box[3]) - max(last.box[1], character.box[1])
    if overlap < 0.3 * min(last.height, character.height):
        return False
    return last.box[0] - 0.5 * size <= character.box[0] <= last.box[2] + _GAP * size


def _make_line(words: list[list[_Character]]) -> TextLine:
    made = tuple(_make_word(word) for word in words)
    return TextLine(
        text=" ".join(word.text for word in made),
        polygon=_outline([character for word in words for character in word]),
        words=made,
        engine=TEXT_LAYER,
    )


def _make_word(word: list[_Character]) -> TextWord:
    groups: list[list[_Character]] = []
    for character in word:
        if groups and _belongs_to(groups[-1][-1].text, character.text):
            groups[-1].append(character)
        else:
            groups.append([character])
    glyphs = tuple(TextGlyph(text=_join(group), polygon=_outline(group)) for group in groups)
    return TextWord(text=_join(word), polygon=_outline(word), glyphs=glyphs)


def _belongs_to(last: str, character: str) -> bool:
    """Whether a character is part of the glyph before it: a vowel sign or accent, or what follows a virama."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf") or unicodedata.combining(last) == _VIRAMA


def _join(characters: list[_Character]) -> str:
    return unicodedata.normalize("NFC", "".join(character.text for character in characters))


def _outline(characters: list[_Character]) -> Polygon:
    """Return the smallest box along the line that holds all, in px of the page, clockwise from its beginning."""
    boxes = np.array([character.box for character in characters])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) @ _axes(characters[0].turn)
    return tuple((float(x), float(y)) for x, y in corners)
