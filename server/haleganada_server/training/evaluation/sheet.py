"""A picture that is being drawn: a light sheet with a title, labels of any script, drawings, bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from haleganada_server.training.common.lettering import Lettering

from . import palette
from .palette import Color

MARGIN = 32  # px
HEAD = 92  # px, from the top to where the content begins
DRAWING = 64  # px, height and width of a data set's drawing

TEXT, SMALL = 18, 15  # px, sizes of text

Title = tuple[str, ...]
"""Parts of a line, each of which Lettering may know as a whole."""


class Sheet:
    """Places are (x, y) in px from the top left."""

    def __init__(self, width: int, height: int, lettering: Lettering, title: Title, subtitle: str) -> None:
        self.image = Image.new("RGB", (width, height), palette.GROUND)
        self._draw = ImageDraw.Draw(self.image)
        self._lettering = lettering
        room = width - 2 * MARGIN
        size = next((s for s in range(26, 13, -1) if sum(lettering.width(part, s) for part in title) <= room), 13)
        self.phrase((MARGIN, MARGIN), [(part, palette.INK) for part in title], size, room)
        self.text((MARGIN, MARGIN + 30), subtitle, SMALL, palette.FAINT, width=room)

    def text(
        self, at: tuple[float, float], text: str, size: int = TEXT, color: Color = palette.INK, anchor: str = "lm",
        width: float = 0,
    ) -> float:  # fmt: skip
        """See Lettering.draw."""
        return self._lettering.draw(self._draw, at, text, size, color, anchor, width)

    def column_name(self, at: tuple[float, float], text: str, size: int, room: tuple[float, float]) -> None:
        """Text over a column; at: the middle of its lower end, room: width and height. Where it is too wide, it is read
        from below to above.
        """
        (x, y), (width, height) = at, room
        if self._lettering.width(text, size) <= width * 1.2:
            self.text((x, y - size * 0.75), text, size, anchor="mm", width=width)
            return
        strip = Image.new("RGB", (int(height), size * 2))
        self._lettering.draw(ImageDraw.Draw(strip), (0, size), text, size, (255, 255, 255), "lm", height)
        turned = strip.convert("L").transpose(Image.Transpose.ROTATE_90)
        self.image.paste(palette.INK, (int(x) - size, int(y - height)), turned)

    def phrase(
        self, at: tuple[float, float], parts: list[tuple[str, Color]], size: int = SMALL, width: float = 0,
        each: float = 0,
    ) -> float:  # fmt: skip
        """Texts one after another on one line, each in its own font and color. Returns how wide it is.

        width, each: of the whole and of a part at most, 0 = any; what does not fit the whole is left out.
        """
        x, y = at
        for part, color in parts:
            left = min(each or width, at[0] + width - x) if width else each
            if width and left < size:
                break
            x += self.text((x, y + size * 0.35), part, size, color, "ls", left)
        return x - at[0]

    def box(self, at: tuple[float, float], size: tuple[float, float], color: Color) -> None:
        """A filled rectangle."""
        if size[0] >= 1 and size[1] >= 1:
            self._draw.rectangle((*at, at[0] + size[0] - 1, at[1] + size[1] - 1), fill=color)

    def line(self, start: tuple[float, float], end: tuple[float, float], color: Color = palette.LINE) -> None:
        """One px wide."""
        self._draw.line((*start, *end), fill=color)

    def picture(self, at: tuple[float, float], pixels: NDArray[np.uint8]) -> None:
        """(h, w, 3)."""
        self.image.paste(Image.fromarray(pixels), (int(at[0]), int(at[1])))

    def drawing(self, at: tuple[float, float], raster: NDArray[np.uint8], side: int = DRAWING) -> None:
        """An ink raster, dark on the sheet, in a thin frame."""
        x, y = int(at[0]), int(at[1])
        ink = Image.fromarray(np.asarray(raster)).resize((side, side), Image.Resampling.LANCZOS)
        self._draw.rectangle((x, y, x + side - 1, y + side - 1), outline=palette.LINE)
        self.image.paste(palette.INK, (x, y), ink)

    def save(self, path: Path) -> None:
        """As PNG."""
        self.image.save(path, "PNG", compress_level=6)


def percent(share: float) -> str:
    """For people: “97.4 %”."""
    return f"{100 * share:.1f} %"
