"""Labels of any script as pictures: shaped by libraqm, with an installed font that has all of their characters.

Matplotlib sets characters one after another, which tears Indic and Arabic scripts apart; Pillow with libraqm shapes
them. DejaVu Sans, which comes with matplotlib, is taken first, so plain text looks the same everywhere; then the
installed fonts, in a fixed order. A label that no font has is shown by its code points, and is listed as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl
from fontTools.ttLib import TTFont, TTLibError
from matplotlib.font_manager import findSystemFonts
from PIL import ImageDraw, ImageFont, features

from haleganada_server.core.labels import code_points

Color = tuple[int, int, int]

_IGNORED = frozenset("\u200c\u200d ")  # joiners shape their neighbors, and fonts need not have them
_SHRINK, _SMALLEST = 0.45, 12  # of the size that was asked for, and px, before text is cut off
_OUTLINES = ("glyf", "CFF ", "CFF2")
_PREFERRED = ("NotoSans", "Noto", "Lohit", "")  # beginnings of file names


@dataclass(slots=True)
class Lettering:
    """Draws text for people. fonts: file for each label that is not set in DejaVu Sans. missing: labels for which
    there is no font. shaping: whether libraqm works here.
    """

    plain: Path
    fonts: dict[str, Path]
    missing: tuple[str, ...]
    shaping: bool
    _loaded: dict[tuple[Path, int], ImageFont.FreeTypeFont] = field(default_factory=dict)

    @classmethod
    def for_labels(cls, labels: Iterable[str]) -> Lettering:
        """Finds fonts for labels. Reads the character tables of installed fonts, as many as are needed."""
        plain = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
        covered = _characters(plain)
        left = [label for label in dict.fromkeys(labels) if not _needed(label) <= covered]
        fonts: dict[str, Path] = {}
        for path in _installed() if left else ():
            covered = _characters(path)
            fonts.update((label, path) for label in left if _needed(label) <= covered)
            left = [label for label in left if label not in fonts]
            if not left:
                break
        return cls(plain, fonts, tuple(left), bool(features.check("raqm")))

    def draw(
        self, canvas: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, color: Color,
        anchor: str = "lm", width: float = 0,
    ) -> float:  # fmt: skip
        """Draw text at a place, and tell how wide it is in px. anchor: as in Pillow; but the middle of a label that is
        not set in DejaVu Sans is the middle of its ink, as vowel signs and conjuncts reach far up and down. width: px
        at most, 0 = any.
        """
        font, shown = self._fitted(text, size, width)
        x, y = at
        if text in self.fonts and anchor[1] == "m":
            _, top, _, bottom = font.getbbox(shown, anchor=f"{anchor[0]}s")
            y, anchor = y - (top + bottom) / 2, f"{anchor[0]}s"
        canvas.text((x, y), shown, fill=color, font=font, anchor=anchor)
        return float(font.getlength(shown))

    def width(self, text: str, size: int) -> float:
        """In px."""
        font, shown = self._fitted(text, size, 0)
        return float(font.getlength(shown))

    def _fitted(self, text: str, size: int, width: float) -> tuple[ImageFont.FreeTypeFont, str]:
        """The largest font that fits, and if none does, as much of the text as fits with the smallest."""
        path, shown = self.fonts.get(text, self.plain), text
        if text in self.missing:
            size, shown = max(_SMALLEST, round(size * 0.6)), " ".join(code_points(text))
        font = self._font(path, size)
        for smaller in range(size, min(size, max(_SMALLEST, round(size * _SHRINK))) - 1, -1):
            font = self._font(path, smaller)
            if not width or font.getlength(shown) <= width:
                return font, shown
        while len(shown) > 1 and font.getlength(shown + "…") > width:
            shown = shown[:-1]
        return font, shown + "…"

    def _font(self, path: Path, size: int) -> ImageFont.FreeTypeFont:
        if (path, size) not in self._loaded:
            engine = ImageFont.Layout.RAQM if self.shaping else ImageFont.Layout.BASIC
            self._loaded[path, size] = ImageFont.truetype(str(path), size, layout_engine=engine)
        return self._loaded[path, size]


def _needed(label: str) -> set[int]:
    return {ord(char) for char in label if char not in _IGNORED}


def _installed() -> Iterator[Path]:
    """Font files, plain ones of well-made families first."""

    def order(path: Path) -> tuple[bool, int, str]:
        family = next(i for i, name in enumerate(_PREFERRED) if path.name.startswith(name))
        return not path.stem.endswith("Regular"), family, str(path)

    return iter(sorted(map(Path, findSystemFonts()), key=order))


def _characters(path: Path) -> set[int]:
    """Code points that a font file draws as outlines; none for a file that cannot be read."""
    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            drawn = any(table in font for table in _OUTLINES)
            return set(font.getBestCmap() or ()) if drawn else set()
    except (OSError, TTLibError, KeyError, AssertionError, ValueError):
        return set()
