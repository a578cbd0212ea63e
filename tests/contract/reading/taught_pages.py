"""Pages in a script that only their reader knows: the shapes of drawings.py, written with a pen on paper."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from haleganada.v1.common_pb2 import Glyph
from PIL import Image, ImageDraw

GAP, SPACE, LINE = 16, 60, 120
"""px between letters, between words, and from line to line."""
_MARGIN, _LETTER, _PEN = 60, 60, 5


class Page:
    """A page that is being written. boxes: of each letter, left, top, right, bottom in px."""

    def __init__(self, size: tuple[int, int] = (1200, 700)) -> None:
        self.picture = Image.new("RGB", size, (238, 232, 220))
        self.boxes: list[tuple[float, float, float, float]] = []
        self._pen = ImageDraw.Draw(self.picture)
        self._x, self._y = float(_MARGIN), float(_MARGIN)

    def write(self, words: Sequence[Sequence[Glyph]], gap: float = GAP) -> None:
        """Write a line."""
        for word in words:
            for letter in word:
                self._draw(letter)
                self._x += gap
            self._x += SPACE - gap
        self._x, self._y = float(_MARGIN), self._y + LINE

    def _draw(self, letter: Glyph) -> None:
        strokes = [np.column_stack([stroke.x, stroke.y]) for stroke in letter.ink.strokes]
        points = np.concatenate(strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        scale = _LETTER / (high - low)[1]
        left, top = self._x, self._y
        for stroke in strokes:
            placed = (stroke - low) * scale + (left, top)
            self._pen.line([(float(x), float(y)) for x, y in placed], fill=(35, 30, 40), width=_PEN, joint="curve")
        width = float((high - low)[0]) * scale
        self.boxes.append((left, top, left + width, top + _LETTER))
        self._x += width

    def write_column(self, letters: Sequence[Glyph], x: float) -> None:
        """Write letters below each other."""
        self._y = float(_MARGIN)
        for letter in letters:
            self._x = x
            self._draw(letter)
            self._y += _LETTER + GAP

    def turn(self, degrees: float) -> None:
        """Turn the paper against the clock, so that its lines rise."""
        self.picture = self.picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(238, 232, 220))

    def to_png(self) -> bytes:
        buffer = io.BytesIO()
        self.picture.save(buffer, "PNG")
        return buffer.getvalue()
