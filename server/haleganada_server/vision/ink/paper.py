"""Gray values -> ink: the drawing, dark on light or light on dark, without the paper and its grain.

For even paper (every canvas, most scans) the histogram suffices, and anti-aliased edges are kept. Anything else is a
photo of paper; see photo.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.errors import InvalidInput

from ..histogram import EVEN_TOLERANCE, find_mode, share_near
from ..images.header import FIELD
from .photo import BLANK, find_ink_in_photo
from .specks import remove_specks

Gray = NDArray[np.uint8]

_MIN_CONTRAST = 24  # gray levels between paper and ink
_OUTLIERS = 4  # pixels that may be darker than any ink: hot pixels, dust
_CLEAN = 0.7  # gray levels; paper that varies less was not scanned, and has no specks
_LEVELS = np.arange(256)


def find_ink(gray: Gray) -> Gray:
    """(h, w) gray -> ink 0..255, 255 = full ink; photos come back reduced. Raises InvalidInput for a blank picture."""
    counts = np.array(Image.fromarray(gray).histogram())
    paper = _detect_even_paper(gray, counts)
    if paper is None:
        return find_ink_in_photo(gray)
    if paper.contrast < _MIN_CONTRAST:
        raise InvalidInput(FIELD, BLANK)
    ink = _make_ramp(paper)[gray]
    return ink if paper.grain < _CLEAN else remove_specks(ink)


@dataclass(frozen=True, slots=True)
class _Paper:
    """Even paper. departures: (256,) number of pixels by their distance from the paper's tone toward the ink.

    tone: the paper's gray level. ink_is_dark: whether the ink is darker. contrast: of the strongest ink. grain:
    standard deviation of the paper. All in gray levels.
    """

    tone: int
    ink_is_dark: bool
    departures: NDArray[np.integer]
    contrast: int
    grain: float


def _detect_even_paper(gray: Gray, counts: NDArray[np.integer]) -> _Paper | None:
    """Return the paper if it is even; None if it is not.

    The tone of the border wins over the most frequent one: a thick pen may cover more of the picture than it leaves.
    """
    border = np.bincount(np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]]), minlength=256)
    tones = {find_mode(border), find_mode(counts)}
    tone = max(tones, key=lambda tone: share_near(border, tone) + share_near(counts, tone))
    if share_near(counts, tone) < 0.15:
        return None
    paper = _measure_paper(counts, tone)
    if paper.contrast < _MIN_CONTRAST:
        return paper
    return paper if _is_two_toned(paper) and _is_sharp(border, paper) else None


def _measure_paper(counts: NDArray[np.integer], tone: int) -> _Paper:
    darker, lighter = np.zeros(256, np.int64), np.zeros(256, np.int64)
    darker[: tone + 1], lighter[: 256 - tone] = counts[tone::-1], counts[tone:]
    beyond = _LEVELS * (_LEVELS > EVEN_TOLERANCE)
    dark = bool(darker @ beyond >= lighter @ beyond)
    departures = darker if dark else lighter
    peaks = np.flatnonzero(departures[::-1].cumsum() > min(_OUTLIERS, counts.sum() // 200))
    near = counts[max(0, tone - EVEN_TOLERANCE) : tone + EVEN_TOLERANCE + 1]
    spread = (np.arange(len(near)) - min(tone, EVEN_TOLERANCE)) ** 2
    return _Paper(tone, dark, departures, 255 - int(peaks[0]), float(np.sqrt(near @ spread / near.sum())))


def _is_two_toned(paper: _Paper) -> bool:
    """Return whether what is not paper is mostly far from it: ink, not shadow. Wide, faint transitions mean uneven
    light.
    """
    middle = max(EVEN_TOLERANCE + 1, round(0.4 * paper.contrast))
    between, strong = paper.departures[EVEN_TOLERANCE + 1 : middle].sum(), paper.departures[middle:].sum()
    return bool(between <= 1.5 * strong and between < 0.15 * paper.departures.sum())


def _is_sharp(border: NDArray[np.integer], paper: _Paper) -> bool:
    """Return whether the border shows only paper and ink, and nothing in between, as light that falls off would."""
    away = np.abs(_LEVELS - paper.tone)
    between = border[(away > EVEN_TOLERANCE) & (away < max(EVEN_TOLERANCE + 1, 0.6 * paper.contrast))].sum()
    return bool(between < 0.15 * border.sum())


def _make_ramp(paper: _Paper) -> Gray:
    """Return the ink for each gray level, (256,): none within the grain, full from the most frequent strength of the
    ink on, so that strokes in several colors, and hair-thin ones that anti-aliasing makes pale, are full ink too.
    """
    strong = np.where(0.3 * paper.contrast < _LEVELS, paper.departures, 0).cumsum()
    full = 0.92 * float(np.searchsorted(strong, 0.6 * strong[-1]))
    floor = min(max(0.1 * full, 3.5 * paper.grain, 3.0), 0.5 * full)
    away = (paper.tone - _LEVELS) if paper.ink_is_dark else (_LEVELS - paper.tone)
    ramp = np.clip((away - floor) * (255 / (full - floor)) + 0.5, 0, 255)
    return np.asarray(ramp.astype(np.uint8))
