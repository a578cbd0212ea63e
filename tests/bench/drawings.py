"""Letters as clients send them: strokes on a board of 280 units, and the picture of such a board."""

from __future__ import annotations

import io

from haleganada_client import Ink, Stroke
from PIL import Image, ImageDraw

from tests.e2e import letters

SIDE, PEN = 280, 12
LABELS = letters.LABELS
Line = list[tuple[float, float]]


def strokes(label: str, hand: int) -> Ink:
    """A letter as pen strokes."""
    lines = _on_the_board(label, hand)
    return Ink(tuple(Stroke(tuple(x for x, _ in line), tuple(y for _, y in line)) for line in lines), SIDE, SIDE, PEN)


def canvas_png(label: str, hand: int) -> bytes:
    """The same letter as a picture, black on white."""
    image = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(image)
    for line in _on_the_board(label, hand):
        draw.line(line, fill=0, width=PEN, joint="curve")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _on_the_board(label: str, hand: int) -> list[Line]:
    return [[(SIDE / 2 + 120 * x, SIDE / 2 + 120 * y) for x, y in line] for line in letters.letter(label, hand)]
