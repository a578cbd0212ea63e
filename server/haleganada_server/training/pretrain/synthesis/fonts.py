"""Aksharas and letters of many scripts from open fonts, traced into pen-like lines.

Several fonts of a script act as several writers. Scripts of the held-out alphabets are excluded from training, as are
those of Omniglot's evaluation set, except for Kannada, the script of this project's name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .polylines import Drawing
from .tracing import trace

EM = 84
"""Font size in pixels for tracing."""


@dataclass(frozen=True)
class Script:
    """Characters of a script to render, and the font files to use."""

    name: str
    fonts: tuple[str, ...]
    """File names; missing files are skipped."""
    letters: tuple[tuple[int, int], ...] = ()
    """Inclusive ranges of code points that are characters by themselves."""
    consonants: tuple[int, int] | None = None
    """Range of consonants, each of which forms a syllable with each sign."""
    signs: tuple[int, int] | None = None
    virama: int | None = None


def _noto(name: str, serif: bool = True) -> tuple[str, ...]:
    """Return the file names of a script's Noto fonts."""
    kinds = ("Sans", "Serif") if serif else ("Sans",)
    return tuple(f"Noto{kind}{name}-{weight}.ttf" for kind in kinds for weight in ("Regular", "Bold"))


def _brahmic(name: str, base: int, extra: tuple[str, ...] = ()) -> Script:
    """Return a script with the code layout of ISCII: fixed offsets of consonants, signs and digits."""
    letters = ((base + 0x05, base + 0x14), (base + 0x66, base + 0x6F))
    consonants, signs = (base + 0x15, base + 0x39), (base + 0x3E, base + 0x4C)
    return Script(name, (*extra, *_noto(name)), letters, consonants, signs, virama=base + 0x4D)


SCRIPTS = (
    _brahmic("Kannada", 0xC80, ("Gubbi.ttf", "Navilu.ttf", "Lohit-Kannada.ttf")),
    _brahmic("Telugu", 0xC00),
    _brahmic("Tamil", 0xB80),
    _brahmic("Bengali", 0x980),
    _brahmic("Gujarati", 0xA80),
    Script("Sinhala", _noto("Sinhala"), ((0xD85, 0xD96),), (0xD9A, 0xDC6), (0xDCF, 0xDDF), virama=0xDCA),
    Script("Khmer", _noto("Khmer"), ((0x17A3, 0x17B3),), (0x1780, 0x17A2), (0x17B6, 0x17C5)),
    Script("Myanmar", _noto("Myanmar"), ((0x1021, 0x102A), (0x1040, 0x1049)), (0x1000, 0x1020), (0x102B, 0x1032)),
    Script("Thai", (*_noto("Thai"), "NotoLoopedThai-Regular.ttf"), ((0xE01, 0xE2E), (0xE50, 0xE59))),
    Script("Lao", (*_noto("Lao"), "NotoLoopedLao-Regular.ttf"), ((0xE81, 0xEAE), (0xED0, 0xED9))),
    Script("Georgian", _noto("Georgian"), ((0x10D0, 0x10F0), (0x10A0, 0x10C5))),
    Script("Hebrew", (*_noto("Hebrew"), "NotoRashiHebrew-Regular.ttf"), ((0x5D0, 0x5EA),)),
    Script("Arabic", ("NotoNaskhArabic-Regular.ttf", "NotoSansArabic-Regular.ttf", "NotoKufiArabic-Regular.ttf"),
           ((0x621, 0x64A), (0x660, 0x669), (0x671, 0x6D3))),
    Script("Cherokee", _noto("Cherokee", False), ((0x13A0, 0x13F4),)),
    Script("Canadian", _noto("CanadianAboriginal", False), ((0x1401, 0x1676),)),
    Script("Vai", _noto("Vai", False), ((0xA500, 0xA60C),)),
    Script("Yi", _noto("Yi", False), ((0xA000, 0xA200),)),
    Script("Bamum", _noto("Bamum", False), ((0xA6A0, 0xA6EF),)),
    Script("Lisu", _noto("Lisu", False), ((0xA4D0, 0xA4F7),)),
    Script("Javanese", _noto("Javanese", False), ((0xA984, 0xA9B2), (0xA9D0, 0xA9D9))),
    Script("Cham", _noto("Cham", False), ((0xAA00, 0xAA28), (0xAA50, 0xAA59))),
    Script("OlChiki", _noto("OlChiki", False), ((0x1C50, 0x1C7D),)),
    Script("NKo", _noto("NKo", False), ((0x7C0, 0x7EA),)),
    Script("Runic", _noto("Runic", False), ((0x16A0, 0x16EA),)),
    Script("LinearB", _noto("LinearB", False), ((0x10000, 0x1005D),)),
    Script("Brahmi", _noto("Brahmi", False), ((0x11005, 0x11037), (0x11066, 0x1106F))),
    Script("Latin", ("DejaVuSans.ttf", "DejaVuSerif.ttf", "NotoSans-Italic.ttf", "NotoSerif-Italic.ttf"),
           ((0x41, 0x5A), (0xC0, 0xD6), (0x30, 0x39))),
    Script("Small", ("DejaVuSans.ttf", "DejaVuSerif.ttf", "NotoSans-Italic.ttf", "NotoSerif-Italic.ttf"),
           ((0x61, 0x7A), (0xDF, 0xF6), (0xF8, 0xFF))),
    Script("Greek", ("DejaVuSans.ttf", "DejaVuSerif.ttf", "NotoSans-Italic.ttf", "NotoSerif-Italic.ttf"),
           ((0x3B1, 0x3C9), (0x3DE, 0x3E1))),
    Script("Cyrillic", ("DejaVuSans.ttf", "DejaVuSerif.ttf", "NotoSans-Italic.ttf", "NotoSerif-Italic.ttf"),
           ((0x430, 0x45F),)),
)  # fmt: skip

HELD_OUT_SCRIPTS = (_brahmic("Devanagari", 0x900),)
"""Scripts of held-out alphabets with hundreds of syllables. For calibration only, never for training."""


@dataclass(frozen=True)
class Syllable:
    """A written unit and its parts, by which similar ones (same base, same sign) are found."""

    text: str
    base: str
    sign: str


def list_syllables(script: Script) -> list[Syllable]:
    """Return all units of a script: letters, consonant x sign, and some of the conjuncts."""
    units = [Syllable(c, c, "") for c in _list_assigned_characters(script.letters)]
    if script.consonants is None or script.signs is None:
        return units
    consonants, signs = (
        list(_list_assigned_characters((script.consonants,))),
        list(_list_assigned_characters((script.signs,))),
    )
    units += [Syllable(c + s, c, s) for c in consonants for s in ["", *signs]]
    if script.virama is not None:
        virama = chr(script.virama)
        units += [Syllable(c + virama, c, virama) for c in consonants]
        below = [consonants[i] for i in range(3, len(consonants), 5)]
        units += [Syllable(c + virama + d, c, virama + d) for c in consonants for d in {*below, c}]
    return sorted(units, key=lambda u: u.text)


def _list_assigned_characters(ranges: tuple[tuple[int, int], ...]) -> Iterator[str]:
    for first, last in ranges:
        yield from (chr(c) for c in range(first, last + 1) if unicodedata.name(chr(c), ""))


def render_text(text: str, font: ImageFont.FreeTypeFont) -> NDArray[np.bool_] | None:
    """Render shaped text as a small bitmap; return None if it is too small or too large."""
    left, top, right, bottom = font.getbbox(text)
    size = (int(right - left) + 8, int(bottom - top) + 8)
    if min(size) < 12 or max(size) > 8 * EM:
        return None
    image = Image.new("L", size)
    ImageDraw.Draw(image).text((4 - left, 4 - top), text, fill=255, font=font)
    return np.asarray(image) > 127


def trace_font(path: Path, units: list[Syllable]) -> list[Drawing | None]:
    """Trace every unit in one font; None for units that the font lacks."""
    font = ImageFont.truetype(str(path), EM, layout_engine=ImageFont.Layout.RAQM)
    missing = render_text("\U0010fffe", font)
    return [_trace_unit(unit.text, font, missing) for unit in units]


def _trace_unit(text: str, font: ImageFont.FreeTypeFont, missing: NDArray[np.bool_] | None) -> Drawing | None:
    shape = render_text(text, font)
    if shape is None or (missing is not None and shape.shape == missing.shape and (shape == missing).all()):
        return None
    return trace(shape, spur=0.07)


def font_license(path: Path) -> str:
    """Return the license of a font file of the known families."""
    name = path.name
    if name.startswith("DejaVu"):
        return "Bitstream Vera and public domain"
    if name == "Gubbi.ttf":
        return "GPL-2.0-or-later with font exception"
    return "OFL-1.1"
