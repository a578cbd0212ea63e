"""Draw labels of any script: shaped by libraqm, in an installed font that has all of their characters.

Matplotlib places characters one after another, which breaks Indic and Arabic scripts; Pillow with libraqm shapes them.
DejaVu Sans, which comes with matplotlib, is tried first, so that plain text looks the same everywhere; then the
installed fonts, in a fixed order. A label that no font covers is drawn as its code points and listed as missing.
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

_IGNORED = frozenset("\u200c\u200d ")  # joiners shape their neighbors; a font needs no glyph for them
_SHRINK, _SMALLEST = 0.45, 12  # share of the requested size, and px; below these, text is cut off
_OUTLINES = ("glyf", "CFF ", "CFF2")
_PREFERRED = ("NotoSans", "Noto", "Lohit", "")  # prefixes of file names


@dataclass(slots=True)
class Lettering:
    """Draws text for people. fonts: font file of each label that DejaVu Sans does not cover. missing: labels without
    a font. shaping: whether libraqm works here.
    """

    plain: Path
    fonts: dict[str, Path]
    missing: tuple[str, ...]
    shaping: bool
    _loaded: dict[tuple[Path, int], ImageFont.FreeTypeFont] = field(default_factory=dict)

    @classmethod
    def for_labels(cls, labels: Iterable[str]) -> Lettering:
        """Find fonts that cover the labels, in the character tables of as few installed fonts as possible."""
        plain = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
        covered = _read_covered_characters(plain)
        left = [label for label in dict.fromkeys(labels) if not _list_required_characters(label) <= covered]
        fonts: dict[str, Path] = {}
        for path in _find_fonts() if left else ():
            covered = _read_covered_characters(path)
            fonts.update((label, path) for label in left if _list_required_characters(label) <= covered)
            left = [label for label in left if label not in fonts]
            if not left:
                break
        return cls(plain, fonts, tuple(left), bool(features.check("raqm")))

    def draw(
        self, canvas: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, color: Color,
        anchor: str = "lm", width: float = 0,
    ) -> float:  # fmt: skip
        """Draw text at a point and return its width in px. width: limit in px, 0 = none.

        anchor: as in Pillow, except that the middle of a label in another font than DejaVu Sans is the middle of its
        ink, because vowel signs and conjuncts reach far up and down.
        """
        font, shown = self._fit(text, size, width)
        x, y = at
        if text in self.fonts and anchor[1] == "m":
            _, top, _, bottom = font.getbbox(shown, anchor=f"{anchor[0]}s")
            y, anchor = y - (top + bottom) / 2, f"{anchor[0]}s"
        canvas.text((x, y), shown, fill=color, font=font, anchor=anchor)
        return float(font.getlength(shown))

    def width(self, text: str, size: int) -> float:
        """Return the width of text in px."""
        font, shown = self._fit(text, size, 0)
        return float(font.getlength(shown))

    def _fit(self, text: str, size: int, width: float) -> tuple[ImageFont.FreeTypeFont, str]:
        """Return the largest font that fits, and the text; if none fits, the smallest font and as much text as fits."""
        path, shown = self.fonts.get(text, self.plain), text
        if text in self.missing:
            size, shown = max(_SMALLEST, round(size * 0.6)), " ".join(code_points(text))
        font = self._load_font(path, size)
        for smaller in range(size, min(size, max(_SMALLEST, round(size * _SHRINK))) - 1, -1):
            font = self._load_font(path, smaller)
            if not width or font.getlength(shown) <= width:
                return font, shown
        while len(shown) > 1 and font.getlength(shown + "…") > width:
            shown = shown[:-1]
        return font, shown + "…"

    def _load_font(self, path: Path, size: int) -> ImageFont.FreeTypeFont:
        if (path, size) not in self._loaded:
            engine = ImageFont.Layout.RAQM if self.shaping else ImageFont.Layout.BASIC
            self._loaded[path, size] = ImageFont.truetype(str(path), size, layout_engine=engine)
        return self._loaded[path, size]


def _list_required_characters(label: str) -> set[int]:
    return {ord(char) for char in label if char not in _IGNORED}


def _find_fonts() -> Iterator[Path]:
    """Yield font files, regular weights of well-made families first."""

    def sort_key(path: Path) -> tuple[bool, int, str]:
        family = next(i for i, name in enumerate(_PREFERRED) if path.name.startswith(name))
        return not path.stem.endswith("Regular"), family, str(path)

    return iter(sorted(map(Path, findSystemFonts()), key=sort_key))


def _read_covered_characters(path: Path) -> set[int]:
    """Return the code points for which a font file has outlines; empty if the file cannot be read."""
    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            has_outlines = any(table in font for table in _OUTLINES)
            return set(font.getBestCmap() or ()) if has_outlines else set()
    except (OSError, TTLibError, KeyError, AssertionError, ValueError):
        return set()
