"""Pages that are composed of real drawings on real paper, so that each glyph's box and label are known."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.bench.accuracy.sets import Handwriting

_DARKEST = 0.25  # of the light that paper reflects, that lines on it take away
Gray = NDArray[np.uint8]
Box = tuple[int, int, int, int]

WIDTH, MARGIN, LINE, GLYPH = 1600, 60, 130, 64
"""px: of a page, of its margins, from line to line, and of a usual glyph."""


@dataclass(frozen=True)
class Truth:
    """A glyph on a page. box: left, top, right, bottom. line: its number, from the top."""

    label: str
    box: Box
    line: int


@dataclass(frozen=True)
class ComposedPage:
    """picture: (height, width, 3) RGB."""

    picture: NDArray[np.uint8]
    glyphs: list[Truth]


@dataclass(frozen=True)
class Spacing:
    """Mean and deviation of the gaps between glyphs in px; where a gap is 0 or less, glyphs touch or overlap."""

    name: str
    mean: float
    deviation: float


SEPARATED = Spacing("separated", 14, 3)
LEVELS = (
    SEPARATED,
    Spacing("touching, one in ten", 5, 3.5),
    Spacing("touching, one in six", 3, 3),
    Spacing("touching, one in two", 0, 3),
)


def compose(
    hand: Handwriting, rows: NDArray[np.intp], spacing: Spacing, rng: np.random.Generator, paper: Gray | None = None
) -> ComposedPage:
    """Write drawings, in this order, line by line on paper."""
    ink, glyphs = np.zeros((0, WIDTH), np.uint8), []
    strip, left, line = np.zeros((LINE + 40, WIDTH), np.uint8), MARGIN, 0
    strips: list[Gray] = []
    for row in rows:
        glyph = _trim(hand.drawings[row])
        tall, wide = glyph.shape
        if left + wide > WIDTH - MARGIN:
            strips.append(strip)
            strip, left, line = np.zeros((LINE + 40, WIDTH), np.uint8), MARGIN, line + 1
        top = int(20 + (LINE - 20 - tall) / 2 + rng.integers(-6, 7))
        area = strip[top : top + tall, left : left + wide]
        np.maximum(area, glyph, out=area)
        offset = MARGIN + line * LINE
        glyphs.append(Truth(str(hand.labels[row]), (left, offset + top, left + wide, offset + top + tall), line))
        left += wide + round(rng.normal(spacing.mean, spacing.deviation))
    strips.append(strip)
    ink = np.zeros((2 * MARGIN + len(strips) * LINE + 40, WIDTH), np.uint8)
    for number, one in enumerate(strips):
        area = ink[MARGIN + number * LINE : MARGIN + number * LINE + len(one)]
        np.maximum(area, one, out=area)
    return ComposedPage(print_on(ink, paper), glyphs)


def load_papers(data: Path) -> list[Gray]:
    """Return photos of blank paper, gray: those without black rules, tears and scratches as dark as ink."""
    papers = []
    with zipfile.ZipFile(data / "paper_textures" / "textures.zip") as file:
        for name in sorted(file.namelist()):
            if name.endswith(".jpg"):
                paper = cv2.imdecode(np.frombuffer(file.read(name), np.uint8), cv2.IMREAD_GRAYSCALE)
                if paper is not None and paper.mean() > 90 and _is_blank(np.asarray(paper, np.uint8)):
                    papers.append(np.asarray(paper, np.uint8))
    return papers


def _is_blank(paper: Gray) -> bool:
    dark = cv2.morphologyEx(paper, cv2.MORPH_BLACKHAT, np.ones((9, 9), np.uint8)) / np.maximum(paper, 1)
    return bool(np.percentile(dark, 99.5) < _DARKEST)


def _trim(drawing: Gray) -> Gray:
    """Return the ink of a drawing, scaled so that usual glyphs are about GLYPH px high."""
    rows, columns = np.flatnonzero((drawing > 64).any(1)), np.flatnonzero((drawing > 64).any(0))
    glyph = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = min(1.0, (LINE - 34) / glyph.shape[0])
    return np.asarray(cv2.resize(glyph, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def print_on(ink: Gray, paper: Gray | None) -> NDArray[np.uint8]:
    ground = np.full(ink.shape, 245, np.uint8)
    if paper is not None:
        factor = max(ink.shape[0] / paper.shape[0], ink.shape[1] / paper.shape[1])
        large = cv2.resize(paper, None, fx=factor + 0.01, fy=factor + 0.01, interpolation=cv2.INTER_CUBIC)
        ground = np.asarray(large[: ink.shape[0], : ink.shape[1]], np.uint8)
    share = ink.astype(np.float32) / 255 * 0.9
    gray = (ground * (1 - share) + 25 * share).round().astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)
