"""Lines of Kannada print to train on: drawn, and put together from photographed words."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from haleganada_server.core.lines.texts import clean_line
from haleganada_server.training.common.augment import mix_seed
from haleganada_server.training.lines.augment import augment_line
from haleganada_server.training.lines.rendering.command import draw_line
from haleganada_server.training.lines.rendering.fonts import LineFont
from haleganada_server.training.lines.rendering.texts import LineTexts
from haleganada_server.vision.line_pictures import GrayLine
from PIL import Image

from tests.bench.reading.long_training import OTHER_LINES
from tests.bench.reading.sets import Line

_WORDS_SHARE, _TEXTURE_SHARE = 0.12, 0.2  # of the lines
_LEARNED = 60_000  # texts
_MEASURED = ("028", "103", "151", "245")
"""Pages of book 219 that have lines in mile_kannada; no word of theirs is seen."""
_HELD_OUT = 250
"""Words of book 219 from this page on are for validation."""
_CONSONANT = "[\u0c95-\u0cb9\u0cdd\u0cde]"
_MISPLACED_REPH = re.compile(f"({_CONSONANT}(?:\u0ccd{_CONSONANT})*(?:\u0ccd|[\u0cbe-\u0ccc]+)?)೯")


@dataclass(frozen=True, eq=False)
class Source:
    """Where lines come from. words: photographed, by page."""

    texts: LineTexts
    fonts: Sequence[LineFont]
    words: dict[str, list[Line]]
    papers: Sequence[GrayLine]
    seed: int

    def draw(self, number: int) -> Line:
        """Return a line; equal numbers give equal lines."""
        rng = np.random.default_rng(mix_seed(self.seed, number))
        if self.words and rng.random() < _WORDS_SHARE:
            line = self._join_words(rng)
            return Line(augment_line(line.gray, self.seed, 0, number), line.text) if rng.random() < 0.5 else line
        drawn = draw_line(self.texts, self.fonts, rng)
        gray = self._put_on_paper(drawn.picture, rng) if rng.random() < _TEXTURE_SHARE else drawn.picture
        return Line(gray, drawn.text)

    def list_texts(self) -> list[str]:
        """Return texts as they are drawn, of which the order of symbols is learned."""
        rng = np.random.default_rng(mix_seed(self.seed, OTHER_LINES))
        return [self.texts.draw(rng) for _ in range(_LEARNED)]

    def _join_words(self, rng: np.random.Generator) -> Line:
        """Put one to three words of a page side by side, their upper edges at one height."""
        page = list(self.words.values())[int(rng.integers(len(self.words)))]
        chosen = [page[int(i)] for i in rng.integers(len(page), size=int(rng.integers(1, 4)))]
        height = max(len(one.gray) for one in chosen)
        paper = int(np.median([np.percentile(one.gray, 80) for one in chosen]))
        parts = []
        for one in chosen:
            gap = int(rng.integers(6, 24))
            shifted = paper - float(np.percentile(one.gray, 80)) + one.gray.astype(np.float32)
            own = np.full((height, one.gray.shape[1] + gap), paper, np.uint8)
            own[: len(one.gray), : one.gray.shape[1]] = np.clip(shifted, 0, 255)
            parts.append(own)
        above, below = (int(rng.integers(0, 5)) for _ in range(2))
        gray = np.pad(np.hstack(parts), ((above, below), (int(rng.integers(2, 12)), 0)), constant_values=paper)
        return Line(np.asarray(gray, np.uint8), " ".join(one.text for one in chosen))

    def _put_on_paper(self, gray: GrayLine, rng: np.random.Generator) -> GrayLine:
        """Darken a line where a photo of paper is darker than on average."""
        paper = self.papers[int(rng.integers(len(self.papers)))]
        height, width = gray.shape
        scale = max(height / paper.shape[0], width / paper.shape[1], float(rng.uniform(0.4, 1.0)))
        large = cv2.resize(paper, None, fx=scale + 0.01, fy=scale + 0.01, interpolation=cv2.INTER_AREA)
        top, left = (int(rng.integers(large.shape[i] - gray.shape[i] + 1)) for i in range(2))
        cut = large[top : top + height, left : left + width].astype(np.float32)
        return np.asarray(np.clip(gray * (cut / max(1.0, float(np.median(cut)))), 0, 255), np.uint8)


def read_words(data: Path) -> tuple[dict[str, list[Line]], list[Line]]:
    """Return the photographed words to train on, by page, and those of the last pages. In their texts a ರ್ behind its
    cluster is written as a digit.
    """
    train: dict[str, list[Line]] = {}
    held_out: list[Line] = []
    with zipfile.ZipFile(data / "mile_kannada_words" / "degraded_words.zip") as file:
        for row in file.read("words.tsv").decode().splitlines()[1:]:
            name, text = row.split("\t")
            page = name.split("_")[1].removeprefix("P")
            if page in _MEASURED or not text.strip():
                continue
            gray = np.asarray(Image.open(io.BytesIO(file.read(name))).convert("L"))
            line = Line(gray, clean_line(_MISPLACED_REPH.sub(r"ರ್\1", text)))
            if int(page) < _HELD_OUT:
                train.setdefault(page, []).append(line)
            else:
                held_out.append(line)
    return train, held_out


def read_papers(data: Path) -> list[GrayLine]:
    """Return photos of paper."""
    with zipfile.ZipFile(data / "paper_textures" / "textures.zip") as file:
        names = sorted(name for name in file.namelist() if name.endswith(".jpg"))
        return [np.asarray(Image.open(io.BytesIO(file.read(name))).convert("L")) for name in names]
