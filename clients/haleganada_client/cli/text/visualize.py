"""Pictures of predictions: each drawing beside what it was taken for. Self-contained files: an .svg, or an .html that
adapts to the window and to a dark desktop. Drawn as text, because a thin client has no imaging library.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Sequence
from html import escape
from pathlib import Path

from haleganada_client.cli.layout import percent, printable
from haleganada_client.types import Candidate, ItemError, Prediction

ENDINGS = (".svg", ".html")
Named = tuple[str, bytes, Prediction | ItemError]
"""A file's name, its content, and the answer."""
_SHOWN = 4  # candidates on a card
_WIDTH, _HEIGHT, _GAP, _COLUMNS = 420, 166, 12, 3
_PICTURE, _MARGIN = 130, 12
_LABEL_X, _BAR_X, _BAR_WIDTH, _SHARE_X = 160, 206, 84, 338  # shares end there, code points begin after it
_FIRST_ROW, _ROW = 56, 23
_WORDS = {
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


def write_visualization(path: Path, named: Sequence[Named]) -> None:
    """Write an .svg or .html, by the path's ending. Raises OSError."""
    draw = _page if path.suffix.lower() == ".html" else _sheet
    path.write_text(draw(named), encoding="utf-8")


def _page(named: Sequence[Named]) -> str:
    box = f"viewBox='0 0 {_WIDTH} {_HEIGHT}'"
    cards = "".join(f"<svg xmlns='http://www.w3.org/2000/svg' {box} role='img'>{_card(one)}</svg>\n" for one in named)
    title = f"Haleganada: {len(named)} drawing{'s' if len(named) != 1 else ''}"
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title>"
    style = f"<style>{_PAGE_STYLE}{_STYLE}{_DARK}</style>"
    return f"<!doctype html><html lang='en'>{head}{style}<body><h1>{title}</h1><main>\n{cards}</main></body></html>\n"


def _sheet(named: Sequence[Named]) -> str:
    columns = min(_COLUMNS, len(named))
    width = columns * (_WIDTH + _GAP) + _GAP
    height = -(-len(named) // columns) * (_HEIGHT + _GAP) + _GAP
    cards = []
    for i, one in enumerate(named):
        x, y = i % columns * (_WIDTH + _GAP) + _GAP, i // columns * (_HEIGHT + _GAP) + _GAP
        cards.append(f"<g transform='translate({x},{y})'>{_card(one)}</g>\n")
    box = f"width='{width}' height='{height}' viewBox='0 0 {width} {height}'"
    ground = "<rect width='100%' height='100%' fill='#f4f6f9'/>\n"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {box}><style>{_STYLE}</style>{ground}{''.join(cards)}</svg>\n"


def _card(named: Named) -> str:
    name, content, outcome = named
    frame = f"<rect class='card' x='.5' y='.5' width='{_WIDTH - 1}' height='{_HEIGHT - 1}' rx='8'/>"
    spoken = f"<title>{escape(printable(name))}</title>"
    file = _text("file", _MARGIN, _HEIGHT - 8, _cut(Path(name).name, 24))
    return spoken + frame + _picture(content) + file + _answer(outcome)


def _picture(content: bytes) -> str:
    place = f"x='{_MARGIN}' y='{_MARGIN}' width='{_PICTURE}' height='{_PICTURE}'"
    far = _MARGIN + _PICTURE
    inside = f"<path class='edge' d='M{_MARGIN} {_MARGIN}L{far} {far}M{far} {_MARGIN}L{_MARGIN} {far}'/>"
    if kind := _media_type(content):
        inside = f"<image {place} href='data:{kind};base64,{base64.b64encode(content).decode()}'/>"
    return f"<rect class='paper' {place}/>{inside}<rect class='edge' {place}/>"


def _answer(outcome: Prediction | ItemError) -> str:
    if isinstance(outcome, ItemError):
        lines = textwrap.wrap(printable(outcome.message), 42)[:_SHOWN]
        return _decision("unreadable") + "".join(_text("file", _LABEL_X, _y(i), line) for i, line in enumerate(lines))
    rows = [_candidate(i, candidate) for i, candidate in enumerate(outcome.candidates[:_SHOWN])]
    if rows and outcome.unknown_probability > 0:  # models of data sets know no such answer
        rows.append(
            _text("rest", _LABEL_X, _y(len(rows)), "none") + _bar(len(rows), "none", outcome.unknown_probability)
        )
    return _decision(outcome.decision.value) + "".join(rows)


def _decision(kind: str) -> str:
    return _text(f"decision {kind}", _LABEL_X, 27, _WORDS[kind])


def _candidate(row: int, candidate: Candidate) -> str:
    points = " ".join(candidate.code_points)
    spoken = f"<title>{escape(printable(candidate.label))} {points}</title>"
    label = _text("best-label" if row == 0 else "label", _LABEL_X, _y(row), _cut(candidate.label, 5))
    shown = _text("points", _SHARE_X + 10, _y(row) - 1, _cut(points.replace("U+", ""), 14))
    return f"<g>{spoken}{label}{_bar(row, 'best' if row == 0 else 'bar', candidate.probability)}{shown}</g>"


def _bar(row: int, kind: str, share: float) -> str:
    place = f"x='{_BAR_X}' y='{_y(row) - 10}' height='9' rx='2'"
    track = f"<rect class='track' {place} width='{_BAR_WIDTH}'/>"
    filled = f"<rect class='{kind}' {place} width='{_BAR_WIDTH * share:.1f}'/>"
    return track + filled + _text("share", _SHARE_X, _y(row) - 1, percent(share))


def _y(row: int) -> int:
    """The base line of a row of the answer."""
    return _FIRST_ROW + _ROW * row


def _text(kind: str, x: int, y: int, text: str) -> str:
    return f"<text class='{kind}' x='{x}' y='{y}'>{escape(printable(text))}</text>"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _media_type(content: bytes) -> str:
    """Of what browsers show; "" for anything else."""
    if content.startswith(b"\x89PNG"):
        return "image/png"
    if content.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/webp" if content[8:12] == b"WEBP" else ""
