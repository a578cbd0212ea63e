"""Pictures of predictions as a .png, drawn with Pillow, which the thin client does without otherwise."""

from __future__ import annotations

import io
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from haleganada_client.cli.formatting import format_percent, printable
from haleganada_client.types import ItemError, Prediction

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

Item = tuple[str, bytes, Prediction | ItemError]
"""An image's name, its content, and the answer."""
_COLUMNS, _WIDTH, _HEIGHT, _GAP = 3, 420, 166, 12
_PICTURE, _MARGIN = 130, 12
_TEXT_X, _BAR_X, _BAR_WIDTH, _SHARE_X = 160, 230, 84, 362  # shares end there, in pixels of the card
_FIRST_ROW, _ROW, _MAX_ROWS = 40, 25, 4
_GROUND, _PAPER, _EDGE, _INK, _FAINT = "#f4f6f9", "#ffffff", "#cfd6e1", "#1d2430", "#667085"
_TRACK, _BEST, _BAR = "#eceff4", "#3567c4", "#b9c4d6"
_FONTS = (
    "NotoSansKannada-Regular.ttf",
    "Nirmala.ttf",
    "Nirmala.ttc",
    "Kannada Sangam MN.ttc",
    "Lohit-Kannada.ttf",
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "Arial Unicode.ttf",
)
"""Files that Pillow looks for in the system's folders of fonts. A label is written in the first one that has it."""
_NO_CHARACTER = "\U0010fffe"
_INVISIBLE = " \u200c\u200d"


def can_draw_png() -> bool:
    """Return whether Pillow is installed."""
    return find_spec("PIL") is not None


def write_png(path: Path, items: Sequence[Item]) -> None:
    """Write the drawings with their candidates as a PNG. Raise OSError."""
    from PIL import Image

    columns, rows = min(_COLUMNS, len(items)), -(-len(items) // _COLUMNS)
    size = (columns * (_WIDTH + _GAP) + _GAP, rows * (_HEIGHT + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _GROUND)
    fonts = _find_fonts()
    for i, item in enumerate(items):
        card = _draw_card(item, fonts)
        sheet.paste(card, (i % columns * (_WIDTH + _GAP) + _GAP, i // columns * (_HEIGHT + _GAP) + _GAP))
    sheet.save(path, "PNG")


def _find_fonts() -> list[FreeTypeFont]:
    """Return the fonts of this machine that may have the labels, and Pillow's own, which has Latin letters, last."""
    from PIL import ImageFont

    fonts = []
    for name in _FONTS:
        try:
            fonts.append(ImageFont.truetype(name, 15))
        except OSError:
            continue
    own = ImageFont.load_default(15)
    return [*fonts, own] if isinstance(own, ImageFont.FreeTypeFont) else fonts


def _draw_card(item: Item, fonts: Sequence[FreeTypeFont]) -> Image:
    from PIL import Image, ImageDraw

    name, content, outcome = item
    card = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, _WIDTH - 1, _HEIGHT - 1), outline=_EDGE)
    if (picture := _open(content)) is not None:
        place = (_MARGIN + (_PICTURE - picture.width) // 2, _MARGIN + (_PICTURE - picture.height) // 2)
        card.paste(picture, place)
    draw.rectangle((_MARGIN, _MARGIN, _MARGIN + _PICTURE, _MARGIN + _PICTURE), outline=_EDGE)
    _write(draw, (_MARGIN, _HEIGHT - 20), Path(name).name[:24], fonts, size=11, fill=_FAINT)
    if isinstance(outcome, ItemError):
        _write(draw, (_TEXT_X, _MARGIN), "not readable", fonts)
        for row, line in enumerate(textwrap.wrap(printable(outcome.message), 42)[:_MAX_ROWS]):
            _write(draw, (_TEXT_X, _FIRST_ROW + _ROW * row), line, fonts, size=11, fill=_FAINT)
    else:
        _draw_prediction(draw, outcome, fonts)
    return card


def _open(content: bytes) -> Image | None:
    """Return a picture on white paper, no larger than its place; None if Pillow cannot read it."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content)) as opened:
            opened.draft("L", (_PICTURE, _PICTURE))  # a photo is decoded small
            image = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    paper = Image.new("RGBA", image.size, _PAPER)
    paper.alpha_composite(image)
    return ImageOps.contain(paper.convert("RGB"), (_PICTURE, _PICTURE))


def _draw_prediction(draw: ImageDraw, prediction: Prediction, fonts: Sequence[FreeTypeFont]) -> None:
    _write(draw, (_TEXT_X, _MARGIN), prediction.decision.value.replace("_", " "), fonts)
    rows = [(item.label, item.code_points, item.probability) for item in prediction.candidates[:_MAX_ROWS]]
    if rows and prediction.unknown_probability > 0:  # not every network has this answer
        rows.append(("none", (), prediction.unknown_probability))
    for row, (label, points, share) in enumerate(rows):
        y = _FIRST_ROW + _ROW * row
        is_shown = all(_choose_font(character, fonts) for character in label)
        text = label if is_shown else points[0].replace("U+", "")
        _write(draw, (_TEXT_X, y), text[:6], fonts, size=18 if row == 0 else 15)
        draw.rectangle((_BAR_X, y + 6, _BAR_X + _BAR_WIDTH, y + 15), fill=_TRACK)
        draw.rectangle((_BAR_X, y + 6, _BAR_X + _BAR_WIDTH * share, y + 15), fill=_BEST if row == 0 else _BAR)
        shown = format_percent(share)
        _write(draw, (_SHARE_X - 7 * len(shown), y + 3), shown, fonts, size=12)


def _write(
    draw: ImageDraw,
    place: tuple[int, int],
    text: str,
    fonts: Sequence[FreeTypeFont],
    *,
    size: int = 13,
    fill: str = _INK,
) -> None:
    """Write text, each part of it in the first font that has it. size: of the fonts, in pixels."""
    x, y = place
    for part, font in _split_by_font(printable(text), fonts):
        variant = _resize(font, size)
        draw.text((x, y + size), part, font=variant, fill=fill, anchor="ls")
        x += round(variant.getlength(part))


def _split_by_font(text: str, fonts: Sequence[FreeTypeFont]) -> Iterator[tuple[str, FreeTypeFont]]:
    """Yield the parts of a text, each with its font. A mark stays with its letter, since both are one shape."""
    part, used = "", fonts[-1]
    for character in text:
        is_mark = unicodedata.category(character) in ("Mn", "Mc", "Cf")
        font = used if part and is_mark else _choose_font(character, fonts) or fonts[-1]
        if part and font is not used:
            yield part, used
            part = ""
        part, used = part + character, font
    if part:
        yield part, used


def _choose_font(character: str, fonts: Sequence[FreeTypeFont]) -> FreeTypeFont | None:
    """Return the first font that has a character; None if none has."""
    return next((font for font in fonts if _has(font, character)), None)


@cache
def _has(font: FreeTypeFont, character: str) -> bool:
    """Return whether a font has a character, as far as can be seen: what it lacks looks like no character."""
    from PIL import ImageFont

    plain = font.font_variant(layout_engine=ImageFont.Layout.BASIC)  # the other one puts marks on dotted circles
    return character in _INVISIBLE or bytes(plain.getmask(character)) != bytes(plain.getmask(_NO_CHARACTER))


@cache
def _resize(font: FreeTypeFont, size: int) -> FreeTypeFont:
    return font.font_variant(size=size)
