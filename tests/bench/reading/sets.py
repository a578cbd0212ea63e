"""Lines and pages with their true text, from HALEGANADA_DATA."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from haleganada_server.vision.line_pictures import GrayLine
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
_MARGIN = 20  # px around the lines of a page that is cut


@dataclass(frozen=True)
class Set:
    """A data set. languages: ISO 639, its own and then others with the same letters. hand: it is handwriting. partly:
    the true text leaves out what is printed around it, so pages are cut to where it stands.
    """

    folder: str
    name: str
    languages: tuple[str, ...]
    hand: bool
    partly: bool = False


SETS = (
    Set("mile_kannada", "MILE, Kannada print", ("kn",), False),
    Set("fondue_en_print", "FoNDUE, English print", ("en",), False),
    Set("copiste_lines_fr", "Copiste, French hands of today", ("fr", "en"), True, partly=True),
    Set("poilus_lines_fr", "Poilus, French hands of 1914-18", ("fr", "en"), True),
    Set("stanford_letters_en", "Stanford, English letters of 1905", ("en",), True),
    Set("hooker_lines_en", "Hooker, one English hand", ("en",), True),
)


@dataclass(frozen=True, eq=False)
class Sample:
    """A line or a page. picture: (height, width, 3) RGB."""

    name: str
    picture: Picture
    text: str


@dataclass(frozen=True)
class Line:
    """A picture to train on, and its text."""

    gray: GrayLine
    text: str


Row = tuple[str, str, str]
"""The name of a line's picture, its text, and its document."""


def load_lines(
    data: Path, which: Set, count: int, seed: int, keep: Callable[[list[Row]], list[Row]] = list
) -> list[Sample]:
    """Load so many lines, drawn at random from those that `keep` returns."""
    with zipfile.ZipFile(data / which.folder / "lines.zip") as file:
        rows = keep(list_rows(file))
        chosen = random.Random(seed).sample(rows, min(count, len(rows)))
        return [Sample(name, _picture(file, name), text) for name, text, _ in chosen]


def load_pages(data: Path, which: Set, count: int, seed: int) -> list[Sample]:
    """Load so many pages, drawn at random; where a set has none, they are put together from the lines of documents."""
    path = data / which.folder / "pages.zip"
    if not path.exists():
        return _stack_documents(data, which, count, seed)
    with zipfile.ZipFile(path) as file:
        truths: dict[str, Any] = json.loads(file.read("gt.json"))
        names = random.Random(seed).sample(sorted(truths), min(count, len(truths)))
        pages = []
        for name in names:
            picture = _picture(file, name if name.endswith(".jpg") else f"{name}.jpg")
            pages.append(Sample(name, _cut(picture, truths[name]) if which.partly else picture, _text(truths[name])))
        return pages


def stack(pictures: Sequence[Picture], margin: int = 80, gap: int = 24) -> Picture:
    """Return a page of lines below one another."""
    width = max(picture.shape[1] for picture in pictures) + 2 * margin
    page = np.full((sum(p.shape[0] + gap for p in pictures) + 2 * margin, width, 3), 255, np.uint8)
    page[:] = np.median(np.concatenate([p.reshape(-1, 3)[::50] for p in pictures]), axis=0)
    y = margin
    for picture in pictures:
        page[y : y + picture.shape[0], margin : margin + picture.shape[1]] = picture
        y += picture.shape[0] + gap
    return page


def _stack_documents(data: Path, which: Set, count: int, seed: int) -> list[Sample]:
    with zipfile.ZipFile(data / which.folder / "lines.zip") as file:
        documents: dict[str, list[tuple[str, str]]] = {}
        for name, text, document in list_rows(file):
            documents.setdefault(document, []).append((name, text))
        long = sorted(name for name, lines in documents.items() if len(lines) >= 10)
        return [
            Sample(
                name,
                stack([_picture(file, line) for line, _ in documents[name]]),
                "\n".join(text for _, text in documents[name]),
            )
            for name in random.Random(seed).sample(long, min(count, len(long)))
        ]


def list_rows(file: zipfile.ZipFile) -> list[Row]:
    """Return the lines of a set that have a text."""
    lines = file.read("lines.tsv").decode().splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    return [(row[0], row[1], row[2]) for row in rows if row[1].strip()]


def _picture(file: zipfile.ZipFile, name: str) -> Picture:
    return np.asarray(Image.open(io.BytesIO(file.read(name))).convert("RGB"))


def _cut(picture: Picture, truth: Any) -> Picture:
    """Return the part of a page that has the lines."""
    points = np.concatenate([line["poly"] for line in truth["lines"]])
    left, top = np.maximum(points.min(axis=0) - _MARGIN, 0)
    right, bottom = points.max(axis=0) + _MARGIN
    return picture[top:bottom, left:right]


def _text(truth: Any) -> str:
    return "\n".join(line["text"] if isinstance(line, dict) else line[4] for line in truth["lines"])
