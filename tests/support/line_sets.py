"""Tiny sources of lines, drawn with the font that comes with Pillow."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIZE = 30  # px of the font

Row = tuple[str, str, str, str]
"""Path, text, group and part."""


def draw_line(text: str, height: int = 48) -> NDArray[np.uint8]:
    """Return a text on white paper, (height, width)."""
    font = ImageFont.load_default(SIZE)
    width = int(font.getlength(text)) + 24
    image = Image.new("L", (width, height), 255)
    ImageDraw.Draw(image).text((12, height / 2), text, fill=0, font=font, anchor="lm")
    return np.asarray(image)


def draw_page(texts: Sequence[str], width: int = 600) -> tuple[NDArray[np.uint8], list[tuple[int, int, int, int]]]:
    """Return a page with a text in each line, and the boxes of the lines: left, top, right, bottom."""
    page = np.full((60 * len(texts) + 40, width), 255, np.uint8)
    boxes = []
    for number, text in enumerate(texts):
        line = draw_line(text)
        top = 20 + 60 * number
        page[top : top + line.shape[0], 30 : 30 + line.shape[1]] = line
        boxes.append((30, top, 30 + line.shape[1], top + line.shape[0]))
    return page, boxes


def to_png(gray: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "PNG")
    return buffer.getvalue()


def write_files(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files into a folder, and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def make_table(rows: Sequence[Row]) -> dict[str, bytes | str]:
    """Return lines.tsv and its pictures, one for each path, drawn with its text."""
    table = "path\ttext\tgroup\tpart\n" + "".join("\t".join(row) + "\n" for row in rows)
    return {"lines.tsv": table, **{path: to_png(draw_line(text)) for path, text, _, _ in rows}}
