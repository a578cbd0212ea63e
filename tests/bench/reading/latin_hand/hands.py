"""Lines of handwriting by the part that their hand is in: those of test hands are never trained on, nor looked at.

A hand is what has one number in its name: of copiste a text, which one person copied, perhaps on two sheets; of poilus
a will; of Stanford a letter.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.texts import clean_line
from haleganada_server.vision.line_pictures import shrink_line
from PIL import Image

from tests.bench.reading.long_training import Line

_HANDS = {
    "copiste_lines_fr": re.compile(r"\d{4}"),
    "poilus_lines_fr": re.compile(r"A[A-Z]*\d*_\d{4}"),
    "stanford_letters_en": re.compile(r".+"),
}
TRAINED_ON = tuple(_HANDS)
"""Sets of which hands are trained on, by their folders."""

_TEST, _VALIDATION = 0.2, 0.08  # of the hands


def find_part(folder: str, document: str) -> Part:
    """Return which part a document is in, whatever else there is. Sets that are not trained on are for testing."""
    if folder not in _HANDS:
        return Part.TEST
    hand = find_hand(folder, document)
    place = int.from_bytes(hashlib.sha256(f"{folder} {hand}".encode()).digest()[:4], "big") / 2**32
    return Part.TEST if place < _TEST else Part.VALIDATION if place < _TEST + _VALIDATION else Part.TRAIN


def find_hand(folder: str, document: str) -> str:
    """Return the name of a document's hand."""
    found = _HANDS[folder].search(document) if folder in _HANDS else None
    return found[0] if found else document


@cache
def load_hands(data: Path, folder: str) -> dict[Part, list[Line]]:
    """Return the lines of the parts that may be looked at: training and validation."""
    lines: dict[Part, list[Line]] = {Part.TRAIN: [], Part.VALIDATION: []}
    with zipfile.ZipFile(data / folder / "lines.zip") as file:
        for row in file.read("lines.tsv").decode().splitlines()[1:]:
            name, text, document = row.split("\t")[:3]
            part = find_part(folder, document)
            if part is not Part.TEST and (text := clean_line(text)):
                gray = np.asarray(Image.open(io.BytesIO(file.read(name))).convert("L"))
                lines[part].append(Line(shrink_line(gray), text))
    return lines
