"""Augment pictures of lines, differently in each epoch: slant, stretch, rotate, bend, thin or thicken, blur, add noise.

What becomes of a line depends on (seed, epoch, line) alone, so it looks the same in any batch or resumed run.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.training.common.augment import mix_seed
from haleganada_server.vision.line_pictures import GrayLine

_PAPER = 80  # percentile of a line's gray values
_HAND = 1  # parts the random numbers of augment_hand from those of augment_line
_KNOT = 16  # px between knots of the bending, at a height of 64 px


def augment_line(gray: GrayLine, seed: int, epoch: int, line: int) -> GrayLine:
    """Return a line as it might have been written or printed otherwise. gray: (height, width)."""
    rng = np.random.default_rng(mix_seed(seed, epoch, line))
    paper = float(np.percentile(gray, _PAPER))
    warped = _warp(gray, rng)
    if rng.random() < 0.3:
        warped = _bend(warped, rng)
    return _degrade(_change_strokes(warped, rng), paper, rng)


def augment_hand(gray: GrayLine, seed: int, epoch: int, line: int) -> GrayLine:
    """Return a line of a small data set, which a network would soon know by heart: changed more than by augment_line,
    and with some strips covered. gray: (height, width).
    """
    paper = float(np.percentile(gray, _PAPER))
    gray = augment_line(gray, seed, epoch, line)
    rng = np.random.default_rng(mix_seed(seed, epoch, line, _HAND))
    if rng.random() < 0.5:
        gray = _stretch_and_slant(gray, rng.uniform(0.75, 1.3), rng.uniform(-0.2, 0.2))
    if rng.random() < 0.4:
        gray = _cut_otherwise(gray, rng)
    if rng.random() < 0.5:
        gray = _bend(gray, rng)
    return _cover(gray, paper, rng)


def _stretch_and_slant(gray: GrayLine, stretch: float, slant: float) -> GrayLine:
    height, width = gray.shape
    matrix = np.array([[stretch, slant, -slant * height / 2], [0, 1, 0]], np.float32)
    size = max(8, int(width * stretch)), height
    warped = cv2.warpAffine(gray, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _cut_otherwise(gray: GrayLine, rng: np.random.Generator) -> GrayLine:
    """Cut something off above and below, or add something, as finders of lines do."""
    height = len(gray)
    above, below = (int(height * share) for share in rng.uniform(-0.15, 0.15, 2))
    cut = gray[max(0, -above) : height - max(0, -below)]
    padded = cv2.copyMakeBorder(cut, max(0, above), max(0, below), 0, 0, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def _cover(gray: GrayLine, paper: float, rng: np.random.Generator) -> GrayLine:
    """Cover narrow strips with paper, one for each two heights of the line on average."""
    height, width = gray.shape
    covered = gray.copy()
    for _ in range(rng.poisson(width / height / 2)):
        strip = int(height * rng.uniform(0.06, 0.36))
        start = int(rng.integers(max(1, width - strip)))
        covered[:, start : start + strip] = round(paper)
    return covered


def _warp(gray: GrayLine, rng: np.random.Generator) -> GrayLine:
    """Stretch, slant, rotate and shift."""
    height, width = gray.shape
    stretch, squeeze, slant = rng.uniform(0.8, 1.25), rng.uniform(0.85, 1.08), rng.uniform(-0.25, 0.25)
    rise = rng.normal(0, 0.006)
    shift = rng.uniform(-0.06, 0.06) * height
    new_width = max(8, int(width * stretch))
    matrix = np.array(
        [
            [stretch, slant, -slant * height / 2],
            [rise * stretch, squeeze, (1 - squeeze) * height / 2 + shift - rise * width / 2 * stretch],
        ],
        np.float32,
    )
    warped = cv2.warpAffine(gray, matrix, (new_width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _bend(gray: GrayLine, rng: np.random.Generator) -> GrayLine:
    """Move neighboring parts by different distances."""
    height, width = gray.shape
    rows, columns = np.meshgrid(np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32), indexing="ij")
    size = 2 + height // _KNOT, 2 + width // _KNOT
    strength = rng.uniform(0.01, 0.035) * height
    moves = [
        cv2.resize(rng.normal(0, strength, size).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    ]
    bent = cv2.remap(gray, columns + moves[0], rows + moves[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(bent, np.uint8)


def _change_strokes(gray: GrayLine, rng: np.random.Generator) -> GrayLine:
    """Thicken, thin or blur."""
    kind = rng.random()
    kernel = np.ones((2, 2), np.uint8)
    if kind < 0.12:
        return np.asarray(cv2.erode(gray, kernel), np.uint8)
    if kind < 0.24:
        return np.asarray(cv2.dilate(gray, kernel), np.uint8)
    if kind < 0.45:
        return np.asarray(cv2.GaussianBlur(gray, (0, 0), rng.uniform(0.4, 1.3)), np.uint8)
    return gray


def _degrade(gray: GrayLine, paper: float, rng: np.random.Generator) -> GrayLine:
    """Change the contrast, and add noise."""
    levels: NDArray[np.float32] = gray.astype(np.float32)
    levels = (levels - paper) * rng.uniform(0.6, 1.3) + paper + rng.uniform(-20, 20)
    if rng.random() < 0.4:
        levels = levels + rng.normal(0, rng.uniform(2, 12), levels.shape).astype(np.float32)
    return np.asarray(np.clip(levels, 0, 255), np.uint8)
