"""Pictures of predictions: each drawing beside its candidates, as a self-contained .svg, or as an .html that adapts to
the window and to dark mode. They are written as text, because the thin client has no imaging library; for a .png, see
visualization_png.py.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Sequence
from html import escape
from pathlib import Path

from haleganada_client.cli.formatting import format_percent, printable
from haleganada_client.cli.output.visualization_png import Item, write_png
from haleganada_client.types import Candidate, ItemError, Prediction

ENDINGS = (".html", ".svg", ".png")
_MAX_ROWS = 4  # candidates, or lines of an error
_WIDTH, _HEIGHT, _GAP, _COLUMNS = 420, 166, 12, 3
_PICTURE, _MARGIN = 130, 12
_LABEL_X, _BAR_X, _BAR_WIDTH, _SHARE_X = 160, 206, 84, 338  # shares end there, code points begin after it
_FIRST_ROW, _ROW = 56, 23
_DECISIONS = {
    "recognized": "recognized",
    "unsure": "not sure",
    "unknown": "unknown",
    "nothing_taught": "nothing taught yet",
    "unreadable": "not readable",
}
_STYLE = """
text { font-family: 'Noto Sans Kannada', 'Noto Sans', system-ui, sans-serif; fill: #1d2430 }
.card { fill: #ffffff; stroke: #dbe0e8 } .paper { fill: #ffffff } .edge { fill: none; stroke: #cfd6e1 }
.file, .points { fill: #667085; font-size: 10.5px } .share { font-size: 11.5px; text-anchor: end }
.label { font-size: 17px } .best-label { font-size: 20px; font-weight: 600 } .rest { font-size: 11.5px }
.track { fill: #eceff4 } .bar { fill: #b9c4d6 } .best { fill: #3567c4 } .none { fill: #d9a441 }
.decision { font-size: 12.5px; font-weight: 600 }
.recognized { fill: #177245 } .unsure { fill: #9a6200 }
.unknown, .unreadable, .nothing_taught { fill: #b3261e }
"""
_DARK = """
@media (prefers-color-scheme: dark) {
  body { background: #14171c; color: #e6e9ef } text { fill: #e6e9ef } .card { fill: #1e232b; stroke: #323a46 }
  .file, .points { fill: #98a2b3 } .track { fill: #2a313c } .bar { fill: #4b5b75 } .best { fill: #6c9bf0 }
  .none { fill: #b98a34 }
  .recognized { fill: #5fca92 } .unsure { fill: #e3b05a } .unknown, .unreadable, .nothing_taught { fill: #f2938c }
}
"""
_PAGE_STYLE = """
body { margin: 24px; font: 15px system-ui, sans-serif; background: #f4f6f9; color: #1d2430 }
main { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)) } h1 { font-size: 18px }
"""


def write_visualization(path: Path, items: Sequence[Item]) -> None:
    """Write an .html, .svg or .png file, depending on the path's ending. Raise OSError."""
    if path.suffix.lower() == ".png":
        write_png(path, items)
        return
    draw = _draw_page if path.suffix.lower() == ".html" else _draw_sheet
    path.write_text(draw(items), encoding="utf-8")


def _draw_page(items: Sequence[Item]) -> str:
    box = f"viewBox='0 0 {_WIDTH} {_HEIGHT}'"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' {box} role='img'>"
    cards = "".join(f"{svg}{_draw_card(item)}</svg>\n" for item in items)
    title = f"Haleganada: {len(items)} drawing{'s' if len(items) != 1 else ''}"
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title>"
    style = f"<style>{_PAGE_STYLE}{_STYLE}{_DARK}</style>"
    return f"<!doctype html><html lang='en'>{head}{style}<body><h1>{title}</h1><main>\n{cards}</main></body></html>\n"


def _draw_sheet(items: Sequence[Item]) -> str:
    columns = min(_COLUMNS, len(items))
    width = columns * (_WIDTH + _GAP) + _GAP
    height = -(-len(items) // columns) * (_HEIGHT + _GAP) + _GAP
    cards = []
    for i, item in enumerate(items):
        x, y = i % columns * (_WIDTH + _GAP) + _GAP, i // columns * (_HEIGHT + _GAP) + _GAP
        cards.append(f"<g transform='translate({x},{y})'>{_draw_card(item)}</g>\n")
    box = f"width='{width}' height='{height}' viewBox='0 0 {width} {height}'"
    ground = "<rect width='100%' height='100%' fill='#f4f6f9'/>\n"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {box}><style>{_STYLE}</style>{ground}{''.join(cards)}</svg>\n"


def _draw_card(item: Item) -> str:
    name, content, outcome = item
    frame = f"<rect class='card' x='.5' y='.5' width='{_WIDTH - 1}' height='{_HEIGHT - 1}' rx='8'/>"
    title = f"<title>{escape(printable(name))}</title>"
    file = _draw_text("file", _MARGIN, _HEIGHT - 8, _shorten(Path(name).name, 24))
    return title + frame + _draw_picture(content) + file + _draw_answer(outcome)


def _draw_picture(content: bytes) -> str:
    place = f"x='{_MARGIN}' y='{_MARGIN}' width='{_PICTURE}' height='{_PICTURE}'"
    far = _MARGIN + _PICTURE
    inside = f"<path class='edge' d='M{_MARGIN} {_MARGIN}L{far} {far}M{far} {_MARGIN}L{_MARGIN} {far}'/>"
    if kind := _media_type(content):
        inside = f"<image {place} href='data:{kind};base64,{base64.b64encode(content).decode()}'/>"
    return f"<rect class='paper' {place}/>{inside}<rect class='edge' {place}/>"


def _draw_answer(outcome: Prediction | ItemError) -> str:
    if isinstance(outcome, ItemError):
        lines = textwrap.wrap(printable(outcome.message), 42)[:_MAX_ROWS]
        message = "".join(_draw_text("file", _LABEL_X, _y(i), line) for i, line in enumerate(lines))
        return _draw_decision("unreadable") + message
    rows = [_draw_candidate(i, candidate) for i, candidate in enumerate(outcome.candidates[:_MAX_ROWS])]
    if rows and outcome.unknown_probability > 0:  # not every network has this answer
        row = len(rows)
        rows.append(_draw_text("rest", _LABEL_X, _y(row), "none") + _draw_bar(row, "none", outcome.unknown_probability))
    return _draw_decision(outcome.decision.value) + "".join(rows)


def _draw_decision(kind: str) -> str:
    return _draw_text(f"decision {kind}", _LABEL_X, 27, _DECISIONS[kind])


def _draw_candidate(row: int, candidate: Candidate) -> str:
    points = " ".join(candidate.code_points)
    title = f"<title>{escape(printable(candidate.label))} {points}</title>"
    label = _draw_text("best-label" if row == 0 else "label", _LABEL_X, _y(row), _shorten(candidate.label, 5))
    shown = _draw_text("points", _SHARE_X + 10, _y(row) - 1, _shorten(points.replace("U+", ""), 14))
    return f"<g>{title}{label}{_draw_bar(row, 'best' if row == 0 else 'bar', candidate.probability)}{shown}</g>"


def _draw_bar(row: int, kind: str, share: float) -> str:
    place = f"x='{_BAR_X}' y='{_y(row) - 10}' height='9' rx='2'"
    track = f"<rect class='track' {place} width='{_BAR_WIDTH}'/>"
    filled = f"<rect class='{kind}' {place} width='{_BAR_WIDTH * share:.1f}'/>"
    return track + filled + _draw_text("share", _SHARE_X, _y(row) - 1, format_percent(share))


def _y(row: int) -> int:
    """Return the y coordinate of the baseline of a row of the answer."""
    return _FIRST_ROW + _ROW * row


def _draw_text(kind: str, x: int, y: int, text: str) -> str:
    return f"<text class='{kind}' x='{x}' y='{y}'>{escape(printable(text))}</text>"


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _media_type(content: bytes) -> str:
    """Return the media type of an image that browsers can show; "" for anything else."""
    if content.startswith(b"\x89PNG"):
        return "image/png"
    if content.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/webp" if content[8:12] == b"WEBP" else ""
