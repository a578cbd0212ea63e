"""Pictures of two characters, as files have them."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

LINES = {"cross": [(40, 40, 200, 200), (200, 40, 40, 200)], "plus": [(120, 40, 120, 200), (40, 120, 200, 120)]}


def picture(lines: list[tuple[int, int, int, int]], shift: int = 0) -> bytes:
    """A PNG of lines, each x0, y0, x1, y1 in px of 240 x 240; shift: of where they begin, to the right."""
    image = Image.new("L", (240, 240), 255)
    pen = ImageDraw.Draw(image)
    for x0, y0, x1, y1 in lines:
        pen.line((x0 + shift, y0, x1, y1), fill=0, width=10)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
