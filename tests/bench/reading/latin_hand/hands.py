"""Lines of handwriting by the part that their hand is in: those of test hands are never trained on, nor looked at.

A hand is what has one number in its name: of copiste a text, which one person copied, perhaps on two sheets; of poilus
a will; of Stanford a letter. Hooker's is a single hand, of which some pages teach a model, and the others test it.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.texts import clean_line
from haleganada_server.vision.line_pictures import shrink_line
from PIL import Image

from tests.bench.reading.sets import Line, Row

_HANDS = {
    "copiste_lines_fr": re.compile(r"\d{4}"),
    "poilus_lines_fr": re.compile(r"A[A-Z]*\d*_\d{4}"),
    "stanford_letters_en": re.compile(r".+"),
}
TRAINED_ON = tuple(_HANDS)
"""Sets of which hands are trained on, by their folders."""

TAUGHT = 200
"""Lines of Hooker's hand that a model may be taught."""

_HOOKER = "hooker_lines_en"
_TEST, _VALIDATION = 0.2, 0.08  # of the hands


def find_part(folder: str, document: str) -> Part:
    """Return which part a document is in, whatever else there is. Sets that are not trained on are for testing."""
    if folder not in _HANDS:
        return Part.TEST
    hand = find_hand(folder, document)
    place = _place(folder, hand)
    return Part.TEST if place < _TEST else Part.VALIDATION if place < _TEST + _VALIDATION else Part.TRAIN


def _place(folder: str, hand: str) -> float:
    """Return a number from 0 to 1, always the same for a hand."""
    return int.from_bytes(hashlib.sha256(f"{folder} {hand}".encode()).digest()[:4], "big") / 2**32


def find_hand(folder: str, document: str) -> str:
    """Return the name of a document's hand."""
    found = _HANDS[folder].search(document) if folder in _HANDS else None
    return found[0] if found else document


def list_taught(rows: Sequence[Row]) -> list[Row]:
    """Return lines of Hooker's hand to teach, of whole documents, the last of which may be cut short."""
    documents = sorted({document for _, _, document in rows}, key=lambda document: _place(_HOOKER, document))
    return [row for document in documents for row in rows if row[2] == document][:TAUGHT]


def list_tested(folder: str, rows: Sequence[Row]) -> list[Row]:
    """Return the lines by which models are measured: of hands that are not trained on, or of pages not taught."""
    taught = {document for _, _, document in list_taught(rows)} if folder == _HOOKER else ()
    return [row for row in rows if row[2] not in taught and find_part(folder, row[2]) is Part.TEST]


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
