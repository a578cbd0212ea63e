"""Fonts that lines are drawn with: what each can draw, and text in one font with what that lacks in another."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.lines.alphabet import SymbolKind, choose_kind, cut, list_clusters

_ENDINGS = (".ttf", ".otf", ".woff", ".woff2")
_OUTLINES = ("glyf", "CFF ", "CFF2")
_DRAWN_BY_ANY = frozenset(" \u200c\u200d")
_SIMPLE_UNTIL = 0x0590  # code points of scripts whose letters stand one behind another

_GAPS = (-0.02, 0.1)  # between letters of metal type, as shares of its size
_SPACES = -0.16, 0.0  # what is added to them where a line is tight
_NARROW_SHARE = 0.4  # of the lines
_UNEVEN = 0.012  # how much these differ within a line, and the heights of letters

InkLine = NDArray[np.uint8]
"""(height, width), 255 = ink."""


@dataclass(frozen=True)
class LineFont:
    """A font file. characters: the code points that it has outlines for."""

    path: Path
    characters: frozenset[int]
    _sizes: dict[int, ImageFont.FreeTypeFont] = field(default_factory=dict, compare=False, repr=False)

    def covers(self, text: Iterable[str]) -> bool:
        """Tell whether the font has all characters of a text."""
        return all(character in _DRAWN_BY_ANY or ord(character) in self.characters for character in text)

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """Return the font in a size, in px."""
        if size not in self._sizes:
            layout = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
            self._sizes[size] = ImageFont.truetype(str(self.path), size, layout_engine=layout)
        return self._sizes[size]


def find_fonts(paths: Sequence[Path]) -> list[LineFont]:
    """Return the fonts in files and, at any depth, in folders. Raises InvalidInput if there is none."""
    files: list[Path] = []
    for path in paths:
        found = path.rglob("*") if path.is_dir() else [path]
        files += sorted(file for file in found if file.suffix.lower() in _ENDINGS)
    fonts = [LineFont(file, characters) for file in files if (characters := _list_characters(file))]
    if not fonts:
        raise InvalidInput("fonts", "has no font that can be read; name .ttf, .otf or .woff files, or their folder")
    return fonts


def require_shaping(texts: Iterable[str]) -> None:
    """Raise InvalidInput if a text needs shaping, as those in Indic and Arabic scripts do, and Pillow cannot do it."""
    if not features.check("raqm") and any(ord(character) >= _SIMPLE_UNTIL for text in texts for character in text):
        raise InvalidInput(
            "text", "is in a script whose letters change with their neighbors, which needs libraqm: install libfribidi0"
        )


def draw_text(
    text: str, font: LineFont, spare: LineFont | None, size: int, rng: np.random.Generator | None = None
) -> InkLine:
    """Return a text on one line, with a margin of `size` px. spare: draws what the font lacks. rng: sets letters of
    Kannada one by one, at distances and heights that vary a little, as metal type stands.
    """
    runs = [
        ((font if own or spare is None else spare).at(size), "".join(characters))
        for own, characters in itertools.groupby(text, lambda character: font.covers(character))
    ]
    if rng is None:
        pieces = [_Piece(face, run, 0.0, 0.0) for face, run in runs]
    else:
        gap = rng.uniform(*_GAPS)
        pieces = [piece for face, run in runs for piece in _set_type(face, run, size, gap, rng)]
    width = sum(piece.length for piece in pieces)
    image = Image.new("L", (int(width) + 3 * size, 4 * size))
    canvas, left = ImageDraw.Draw(image), float(size)
    for piece in pieces:
        canvas.text((left, 2.5 * size + piece.lower), piece.text, fill=255, font=piece.face, anchor="ls")
        left += piece.length
    return np.asarray(image)


class _Piece(NamedTuple):
    """A text that is drawn at once. gap: behind it; lower: how far it stands below the line; both in px."""

    face: ImageFont.FreeTypeFont
    text: str
    gap: float
    lower: float

    @property
    def length(self) -> float:
        return max(0.0, self.face.getlength(self.text) + self.gap)


def _set_type(
    face: ImageFont.FreeTypeFont, run: str, size: int, gap: float, rng: np.random.Generator
) -> Iterator[_Piece]:  # fmt: skip
    if choose_kind([run]) is not SymbolKind.UNITS:
        yield _Piece(face, run, 0.0, 0.0)
        return
    narrowed = rng.uniform(*_SPACES) if rng.random() < _NARROW_SHARE else 0.0
    for text, _, _ in list_clusters(cut(run, SymbolKind.UNITS), SymbolKind.UNITS):
        wider = gap + rng.normal(0, _UNEVEN) + (narrowed if text.isspace() else 0.0)
        yield _Piece(face, text, wider * size, rng.normal(0, _UNEVEN) * size)


def _list_characters(path: Path) -> frozenset[int]:
    """Return the code points for which a font file has outlines; none if it cannot be read."""
    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            has_outlines = any(table in font for table in _OUTLINES)
            return frozenset(font.getBestCmap() or ()) if has_outlines else frozenset()
    except (OSError, TTLibError, KeyError, AssertionError, ValueError, ImportError):
        return frozenset()
