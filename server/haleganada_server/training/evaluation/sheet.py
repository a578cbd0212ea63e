"""A picture in the making: a light sheet with a title, labels of any script, drawings, bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from haleganada_server.training.common.lettering import Lettering

from . import palette
from .palette import Color

MARGIN = 32  # px
HEADER = 92  # px, from the top to where the content begins
DRAWING = 64  # px, height and width of a data set's drawing

TEXT, SMALL = 18, 15  # px, sizes of text

Title = tuple[str, ...]
"""Parts of a line; Lettering chooses a font for each."""


class Sheet:
    """Draws on a picture. Positions are (x, y) in px from the top left."""

    def __init__(self, width: int, height: int, lettering: Lettering, title: Title, subtitle: str) -> None:
        self.image = Image.new("RGB", (width, height), palette.BACKGROUND)
        self._draw = ImageDraw.Draw(self.image)
        self._lettering = lettering
        room = width - 2 * MARGIN
        size = next((s for s in range(26, 13, -1) if sum(lettering.width(part, s) for part in title) <= room), 13)
        self.draw_line_of_text((MARGIN, MARGIN), [(part, palette.INK) for part in title], size, room)
        self.draw_text((MARGIN, MARGIN + 30), subtitle, SMALL, palette.FAINT, width=room)

    def draw_text(
        self, at: tuple[float, float], text: str, size: int = TEXT, color: Color = palette.INK, anchor: str = "lm",
        width: float = 0,
    ) -> float:  # fmt: skip
        """Draw text as Lettering.draw does, and return its width."""
        return self._lettering.draw(self._draw, at, text, size, color, anchor, width)

    def draw_column_label(self, at: tuple[float, float], text: str, size: int, room: tuple[float, float]) -> None:
        """Draw text over a column, turned to run upwards where it is too wide. at: the middle of its lower end. room:
        width and height.
        """
        (x, y), (width, height) = at, room
        if self._lettering.width(text, size) <= width * 1.2:
            self.draw_text((x, y - size * 0.75), text, size, anchor="mm", width=width)
            return
        strip = Image.new("RGB", (int(height), size * 2))
        self._lettering.draw(ImageDraw.Draw(strip), (0, size), text, size, (255, 255, 255), "lm", height)
        turned = strip.convert("L").transpose(Image.Transpose.ROTATE_90)
        self.image.paste(palette.INK, (int(x) - size, int(y - height)), turned)

    def draw_line_of_text(
        self, at: tuple[float, float], parts: list[tuple[str, Color]], size: int = SMALL, width: float = 0,
        part_width: float = 0,
    ) -> float:  # fmt: skip
        """Draw texts one after another, each in its own font and color, and return their width.

        width, part_width: limits for the whole line and for each part, 0 = none; parts beyond the limit are left out.
        """
        x, y = at
        for part, color in parts:
            left = min(part_width or width, at[0] + width - x) if width else part_width
            if width and left < size:
                break
            x += self.draw_text((x, y + size * 0.35), part, size, color, "ls", left)
        return x - at[0]

    def fill_box(self, at: tuple[float, float], size: tuple[float, float], color: Color) -> None:
        """Draw a filled rectangle."""
        if size[0] >= 1 and size[1] >= 1:
            self._draw.rectangle((*at, at[0] + size[0] - 1, at[1] + size[1] - 1), fill=color)

    def draw_line(self, start: tuple[float, float], end: tuple[float, float], color: Color = palette.LINE) -> None:
        """Draw a line of 1 px."""
        self._draw.line((*start, *end), fill=color)

    def paste_pixels(self, at: tuple[float, float], pixels: NDArray[np.uint8]) -> None:
        """Paste an image. pixels: (h, w, 3)."""
        self.image.paste(Image.fromarray(pixels), (int(at[0]), int(at[1])))

    def paste_drawing(self, at: tuple[float, float], raster: NDArray[np.uint8], side: int = DRAWING) -> None:
        """Paste an ink raster, dark on the sheet, in a thin frame."""
        x, y = int(at[0]), int(at[1])
        ink = Image.fromarray(np.asarray(raster)).resize((side, side), Image.Resampling.LANCZOS)
        self._draw.rectangle((x, y, x + side - 1, y + side - 1), outline=palette.LINE)
        self.image.paste(palette.INK, (x, y), ink)

    def save(self, path: Path) -> None:
        """Write a PNG."""
        self.image.save(path, "PNG", compress_level=6)


def format_percent(share: float) -> str:
    """Format a share for people: “97.4 %”."""
    return f"{100 * share:.1f} %"
