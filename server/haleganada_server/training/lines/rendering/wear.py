"""Wears drawn lines as printing, aging and scanning do: thicker or thinner ink, worn edges, noise, skew, blur, paper
that is not even, what shines through from the other side, and compression.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.vision.line_pictures import STORED_HEIGHT, GrayLine

from .fonts import InkLine

_INK = 127

Levels = NDArray[np.float32]
"""Gray values, not yet rounded."""


def wear_line(ink: InkLine, size: int, rng: np.random.Generator) -> GrayLine:
    """Return a line as a scan of 64 px in height might show it. ink: with a margin around it. size: of its font in px.
    Raises ValueError if nothing is drawn on it.
    """
    gray = _crop(_rotate(255 - ink, rng), size, rng)
    if rng.random() < 0.1:
        gray = _add_neighbor(gray, rng)
    gray = _change_weight(gray, rng)
    height = STORED_HEIGHT
    width = max(8, int(gray.shape[1] * height / gray.shape[0] * rng.uniform(0.9, 1.12)))
    if rng.random() < 0.5:
        gray = _print(gray, width, height, rng)
    levels = cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    if rng.random() < 0.6:
        levels = cv2.GaussianBlur(levels, (0, 0), rng.uniform(0.4, 1.4)).astype(np.float32)
    return _compress(_put_on_paper(levels, rng), rng)


def _rotate(gray: GrayLine, rng: np.random.Generator) -> GrayLine:
    if rng.random() < 0.5:
        return gray
    height, width = gray.shape
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 0.35), 1)
    return np.asarray(cv2.warpAffine(gray, turned, (width, height), borderValue=255), np.uint8)


def _crop(gray: GrayLine, size: int, rng: np.random.Generator) -> GrayLine:
    """Cut a line as tightly as finders of lines do, more or less."""
    rows, columns = np.nonzero(gray < _INK)
    if not len(rows):
        raise ValueError("nothing is drawn")
    top, bottom = np.percentile(rows, (0.05, 99.95))
    top = int(max(0, top - rng.uniform(0, 0.22) * size))
    bottom = int(min(len(gray), bottom + 1 + rng.uniform(0, 0.22) * size))
    left, right = columns.min() - rng.integers(1, size // 2), columns.max() + rng.integers(2, size // 2)
    return gray[top:bottom, max(0, left) : right]


def _add_neighbor(gray: GrayLine, rng: np.random.Generator) -> GrayLine:
    """Let the ends of letters of the line above, or below, be in the picture."""
    height, width = gray.shape
    rows = max(1, int(height * rng.uniform(0.03, 0.12)))
    moved = np.roll(gray, int(rng.integers(width)), 1)
    both = gray.copy()
    if rng.random() < 0.5:
        both[:rows] = np.minimum(both[:rows], moved[-rows:])
    else:
        both[-rows:] = np.minimum(both[-rows:], moved[:rows])
    return both


def _change_weight(gray: GrayLine, rng: np.random.Generator) -> GrayLine:
    kind = rng.random()
    if kind < 0.25:
        return np.asarray(cv2.erode(gray, np.ones((2, rng.integers(1, 3)), np.uint8)), np.uint8)
    if kind < 0.4:
        return np.asarray(cv2.dilate(gray, np.ones((rng.integers(1, 3), 2), np.uint8)), np.uint8)
    return gray


def _print(gray: GrayLine, width: int, height: int, rng: np.random.Generator) -> GrayLine:
    """Spread the ink, leave gaps in it, and make it black or white, as a printed and scanned page is."""
    scale = rng.uniform(1.0, 1.6)
    fine = cv2.resize(gray, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA)
    spread = cv2.GaussianBlur(fine.astype(np.float32), (0, 0), rng.uniform(0.4, 1.1))
    grain = np.asarray(rng.normal(0, 1, spread.shape), np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.5)) * rng.uniform(0, 90)
    inking = _vary(spread.shape, rng, rng.uniform(0, 25))  # type that stands lower, or has less ink, prints less
    return np.asarray((spread + grain + inking > rng.uniform(95, 175)) * 255, np.uint8)


def _put_on_paper(levels: Levels, rng: np.random.Generator) -> Levels:
    """Give ink and paper their gray values. levels: 0 = ink, 255 = paper."""
    dark, light = rng.uniform(0, 80), rng.uniform(185, 255)
    share = 1 - levels / 255
    if rng.random() < 0.3:  # faded in parts
        share = share * np.clip(1 + _vary(share.shape, rng, 0.25), 0.35, 1)
    if rng.random() < 0.15:  # what is printed on the other side
        behind = cv2.GaussianBlur(
            np.ascontiguousarray(np.roll(share[:, ::-1], int(rng.integers(-9, 9)), 0)), (0, 0), 1.5
        )
        share = np.maximum(share, behind * rng.uniform(0.05, 0.25))
    unevenness = np.asarray(rng.normal(0, rng.uniform(0, 9), (2, 6)), np.float32)
    shade = cv2.resize(unevenness, levels.shape[::-1])
    noise = rng.normal(0, rng.uniform(0, 9), levels.shape)
    return np.asarray(light - share * (light - dark) + shade + noise, np.float32)


def _vary(shape: tuple[int, ...], rng: np.random.Generator, deviation: float) -> Levels:
    """Return a field of this shape whose values change slowly from place to place."""
    height, width = shape
    knots = rng.normal(0, deviation, (2, 2 + width // (2 * height))).astype(np.float32)
    return np.asarray(cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _compress(levels: Levels, rng: np.random.Generator) -> GrayLine:
    gray = np.asarray(np.clip(levels, 0, 255), np.uint8)
    if rng.random() < 0.5:
        return gray
    _, jpeg = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)
