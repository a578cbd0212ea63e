"""A picture of predictions: each drawing beside what it was taken for, as one self-contained HTML or SVG file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from haleganada_client.types import ItemError, Prediction

_WIDTH, _HEIGHT, _COLUMNS, _PICTURE = 300, 132, 3, 112
_FONT = "font-family='Noto Sans Kannada, Noto Sans, system-ui, sans-serif'"
_COLOURS = {"recognised": "#1a7f5a", "unsure": "#b7791f", "unknown": "#b3261e", "nothing_taught": "#777777"}
Named = tuple[str, bytes, Prediction | ItemError]


def write_sheet(path: Path, named: Sequence[Named]) -> None:
    """Write an .svg, or an .html around it. Raises OSError."""
    svg = _sheet(named)
    if path.suffix.lower() == ".html":
        svg = f"<!doctype html><meta charset='utf-8'><title>Haleganada</title><body style='margin:24px'>{svg}</body>"
    path.write_text(svg, encoding="utf-8")


def _sheet(named: Sequence[Named]) -> str:
    columns = min(_COLUMNS, len(named))
    rows = -(-len(named) // columns)
    cards = "".join(_card(entry, i % columns * _WIDTH, i // columns * _HEIGHT) for i, entry in enumerate(named))
    width, height = columns * _WIDTH, rows * _HEIGHT
    box = f"width='{width}' height='{height}' viewBox='0 0 {width} {height}'"
    ground = "<rect width='100%' height='100%' fill='#ffffff'/>"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {box} {_FONT}>{ground}{cards}</svg>"


def _card(entry: Named, x: int, y: int) -> str:
    name, content, outcome = entry
    data = f"data:{_media_type(content)};base64,{base64.b64encode(content).decode()}"
    picture = f"<image href='{data}' x='6' y='6' width='{_PICTURE}' height='{_PICTURE}'/>"
    frame = f"<rect x='6' y='6' width='{_PICTURE}' height='{_PICTURE}' fill='none' stroke='#d0d0d0'/>"
    text = _text(128, 18, Path(name).name[-24:], 11, "#666666")
    return f"<g transform='translate({x},{y})'>{picture}{frame}{text}{_answer(outcome)}</g>"


def _answer(outcome: Prediction | ItemError) -> str:
    if isinstance(outcome, ItemError):
        return _text(128, 44, "not readable", 13, _COLOURS["unknown"])
    parts = [_text(128, 36, outcome.decision.value.replace("_", " "), 12, _COLOURS[outcome.decision.value])]
    for i, candidate in enumerate(outcome.candidates[:3]):
        y = 58 + 24 * i
        parts.append(
            f"<rect x='168' y='{y - 12}' width='{120 * candidate.probability:.1f}' height='14' fill='#cfe3f7'/>"
        )
        parts.append(_text(128, y, candidate.label, 18, "#111111"))
        parts.append(_text(172, y, f"{100 * candidate.probability:.1f} %", 12, "#333333"))
    return "".join(parts)


def _text(x: int, y: int, text: str, size: int, colour: str) -> str:
    return f"<text x='{x}' y='{y}' font-size='{size}' fill='{colour}'>{escape(text)}</text>"


def _media_type(content: bytes) -> str:
    if content.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if content[8:12] == b"WEBP" else "image/jpeg"
