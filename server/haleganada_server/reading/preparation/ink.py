"""The reduced copy of a page at which the steps look, and where ink is on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Ink = NDArray[np.uint8]
"""(height, width), 255 where there is ink and 0 elsewhere."""

REDUCED_SIDE = 1_200
"""Most px of a side: an A4 page at 100 dpi. Letters of a book are 8 px high then, and lines still lie apart."""
_GROUND = 25
"""px; strokes thinner than this are ink, anything wider is ground."""
_MIN_CONTRAST = 12
"""Levels by which ink differs from the ground around it at least; paper and cameras vary by less."""
_LARGE = 0.25
"""Of the page's longer side; what is longer is a border, a rule or a picture, not text."""
_LETTERS = 25  # of a page of text, at least
_LETTER = (3, 1 / 15)
"""Least height of a letter in px, most as a part of the page's longer side."""


def reduce_to_gray(picture: NDArray[np.uint8], side: int = REDUCED_SIDE) -> Gray:
    """(height, width, 3) RGB or (height, width) gray -> gray, with a longer side of at most `side` px."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8) if picture.ndim == 3 else picture
    factor = side / max(gray.shape)
    if factor >= 1:
        return gray
    size = [max(1, round(length * factor)) for length in gray.shape[::-1]]
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def find_ink(gray: Gray) -> Ink:
    """Return where a dark-on-light page has ink: strokes that differ from the ground around them (a black top-hat)
    by more than Otsu's threshold.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_GROUND, _GROUND))
    contrast = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, kernel)
    level, _ = cv2.threshold(contrast, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    _, ink = cv2.threshold(contrast, max(level, _MIN_CONTRAST), 255, cv2.THRESH_BINARY)
    return np.asarray(ink, np.uint8)


@dataclass(frozen=True, slots=True)
class Parts:
    """The connected parts of the ink. labels: (height, width), 0 = ground. stats: a row for each label, as OpenCV has
    it: left, top, width, height, area.
    """

    ink: Ink
    labels: NDArray[np.int32]
    stats: NDArray[np.int32]

    @property
    def heights(self) -> NDArray[np.int32]:
        return self.stats[:, cv2.CC_STAT_HEIGHT]

    @property
    def sizes(self) -> NDArray[np.int32]:
        """The longer side of each part."""
        return np.maximum(self.stats[:, cv2.CC_STAT_WIDTH], self.heights)

    def find_letter_height(self) -> float | None:
        """Return the usual height of letters, or of joined-up words, in px: the median over the ink; None without."""
        heights, areas = self.heights[1:], self.stats[1:, cv2.CC_STAT_AREA]
        letters = (heights >= _LETTER[0]) & (heights <= _LETTER[1] * max(self.ink.shape))
        if not letters.any():
            return None
        heights, areas = heights[letters], areas[letters]
        order = np.argsort(heights)
        total = np.cumsum(areas[order])
        return float(heights[order][np.searchsorted(total, total[-1] / 2)])

    @property
    def is_text(self) -> bool:
        """Whether there are enough letters, or joined-up words, for lines of text."""
        usual = self.find_letter_height()
        if usual is None:
            return False
        return int(((self.heights > usual / 2) & (self.heights < 2 * usual)).sum()) >= _LETTERS

    def drop_large(self, specks: float = 0.0) -> Ink:
        """Return the ink without borders, rules and pictures, which are too large for text, and without what is smaller
        than `specks` px.
        """
        gone = (self.sizes > _LARGE * max(self.ink.shape)) | (self.sizes < specks)
        gone[0] = True  # the ground
        return np.where(gone[self.labels], 0, self.ink).astype(np.uint8)


def find_parts(ink: Ink) -> Parts:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    return Parts(ink, np.asarray(labels, np.int32), np.asarray(stats, np.int32))
