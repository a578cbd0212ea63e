"""Fonts that lines are drawn with: what each can draw, and text in one font with what that lacks in another."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from haleganada_server.core.errors import InvalidInput

_ENDINGS = (".ttf", ".otf", ".woff", ".woff2")
_OUTLINES = ("glyf", "CFF ", "CFF2")
_DRAWN_BY_ANY = frozenset(" \u200c\u200d")
_SIMPLE_UNTIL = 0x0590  # code points of scripts whose letters stand one behind another

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


def draw_text(text: str, font: LineFont, spare: LineFont | None, size: int) -> InkLine:
    """Return a text on one line, with a margin of `size` px. spare: draws what the font lacks."""
    runs = [
        ((font if own or spare is None else spare).at(size), "".join(characters))
        for own, characters in itertools.groupby(text, lambda character: font.covers(character))
    ]
    width = sum(face.getlength(run) for face, run in runs)
    image = Image.new("L", (int(width) + 3 * size, 4 * size))
    canvas, left = ImageDraw.Draw(image), float(size)
    for face, run in runs:
        canvas.text((left, 2.5 * size), run, fill=255, font=face, anchor="ls")
        left += face.getlength(run)
    return np.asarray(image)


def _list_characters(path: Path) -> frozenset[int]:
    """Return the code points for which a font file has outlines; none if it cannot be read."""
    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            has_outlines = any(table in font for table in _OUTLINES)
            return frozenset(font.getBestCmap() or ()) if has_outlines else frozenset()
    except (OSError, TTLibError, KeyError, AssertionError, ValueError, ImportError):
        return frozenset()
