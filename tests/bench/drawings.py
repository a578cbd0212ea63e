"""Letters as clients send them: strokes on a canvas of 280 units, and an image of such a canvas."""

from __future__ import annotations

import io

from haleganada_client import Ink, Stroke
from PIL import Image, ImageDraw

from tests.e2e.handwriting import letters, write_letter

SIDE, PEN = 280, 12
LABELS = letters()[:10]


def strokes(label: str, hand: int) -> Ink:
    """Return a letter as pen strokes."""
    lines = write_letter(label, hand, SIDE)
    return Ink(tuple(Stroke(tuple(x for x, _ in line), tuple(y for _, y in line)) for line in lines), SIDE, SIDE, PEN)


def canvas_png(label: str, hand: int) -> bytes:
    """Return the same letter as a PNG, black on white."""
    image = Image.new("L", (SIDE, SIDE), 255)
    draw = ImageDraw.Draw(image)
    for line in write_letter(label, hand, SIDE):
        draw.line(line, fill=0, width=PEN, joint="curve")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
