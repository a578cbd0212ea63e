"""A data set as a class would make it: every writer writes every letter, scanned as small pictures."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw

from tests.e2e.handwriting import letters, write_letter

_SIDE = 96


def write_class_set(path: Path, writers: int, each: int = 1, alphabet: str = "") -> Path:
    """A .zip of folders, one for each letter, of pictures w<writer>_<number>.png; and one file that is no picture."""
    with zipfile.ZipFile(path, "w") as file:
        for letter in alphabet or letters():
            for number in range(writers * each):
                name = f"{letter}/w{number // each:03}_{number % each}.png"
                file.writestr(name, _scan(letter, 1000 + number))
        file.writestr(f"{letters()[0]}/w000_notes.png", b"no picture")
    return path


def _scan(letter: str, hand: int) -> bytes:
    image = Image.new("L", (_SIDE, _SIDE), 255)
    pen = ImageDraw.Draw(image)
    for stroke in write_letter(letter, hand, _SIDE):
        pen.line(stroke, fill=0, width=4, joint="curve")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
