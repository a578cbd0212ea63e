"""Gray values -> ink: what is drawn, whichever way round, and not the paper or its grain.

A picture with even paper (every canvas, most scans) is read by its histogram alone and keeps its anti-aliased edges.
Anything else is a photo of paper, see photo.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.errors import InvalidInput

from .header import FIELD
from .photo import BLANK, ink_of_photo
from .specks import without_specks
from .tones import EVEN, band_share, commonest

Gray = NDArray[np.uint8]

_LEAST_CONTRAST = 24  # gray levels between paper and ink
_OUTLIERS = 4  # pixels that may be darker than any ink: hot pixels, dust
_CLEAN = 0.7  # gray levels; paper that varies less was never a scan, and has no specks
_LEVELS = np.arange(256)


def find_ink(gray: Gray) -> Gray:
    """(h, w) gray -> ink 0..255, 255 = full ink; photos come back reduced. Raises InvalidInput for a blank picture."""
    image = Image.fromarray(gray)
    counts = np.array(image.histogram())
    sheet = _even_sheet(gray, counts)
    if sheet is None:
        return ink_of_photo(gray)
    if sheet.contrast < _LEAST_CONTRAST:
        raise InvalidInput(FIELD, BLANK)
    ink = np.asarray(image.point(_ramp(sheet)))
    return ink if sheet.grain < _CLEAN else without_specks(ink)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Even paper. departures: (256,) pixels by their distance from the paper's tone in the direction of the ink.

    tone: the paper's gray level. dark: whether the ink is darker. contrast: of the strongest ink. grain: standard
    deviation of the paper. All in gray levels.
    """

    tone: int
    dark: bool
    departures: NDArray[np.integer]
    contrast: int
    grain: float


def _even_sheet(gray: Gray, counts: NDArray[np.integer]) -> _Sheet | None:
    """The paper if it is the same everywhere; None if it is not.

    The tone of the border wins over the commonest one: a thick pen may well cover more of the picture than it leaves.
    """
    border = np.bincount(np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]]), minlength=256)
    tones = {commonest(border), commonest(counts)}
    tone = max(tones, key=lambda tone: band_share(border, tone) + band_share(counts, tone))
    if band_share(counts, tone) < 0.15:
        return None
    sheet = _sheet(counts, tone)
    if sheet.contrast < _LEAST_CONTRAST:
        return sheet
    return sheet if _is_two_toned(sheet) and _is_sharp(border, sheet) else None


def _sheet(counts: NDArray[np.integer], tone: int) -> _Sheet:
    darker, lighter = np.zeros(256, np.int64), np.zeros(256, np.int64)
    darker[: tone + 1], lighter[: 256 - tone] = counts[tone::-1], counts[tone:]
    beyond = _LEVELS * (_LEVELS > EVEN)
    dark = bool(darker @ beyond >= lighter @ beyond)
    departures = darker if dark else lighter
    peaks = np.flatnonzero(departures[::-1].cumsum() > min(_OUTLIERS, counts.sum() // 200))
    near = counts[max(0, tone - EVEN) : tone + EVEN + 1]
    spread = (np.arange(len(near)) - min(tone, EVEN)) ** 2
    return _Sheet(tone, dark, departures, 255 - int(peaks[0]), float(np.sqrt(near @ spread / near.sum())))


def _is_two_toned(sheet: _Sheet) -> bool:
    """Whether what is not paper is mostly far from it: ink, not shadow. Faint, wide transitions mean uneven light."""
    middle = max(EVEN + 1, round(0.4 * sheet.contrast))
    between, strong = sheet.departures[EVEN + 1 : middle].sum(), sheet.departures[middle:].sum()
    return bool(between <= 1.5 * strong and between < 0.15 * sheet.departures.sum())


def _is_sharp(border: NDArray[np.integer], sheet: _Sheet) -> bool:
    """Whether the rim of the picture shows paper or ink and nothing between, as light that falls off would."""
    away = np.abs(_LEVELS - sheet.tone)
    between = border[(away > EVEN) & (away < max(EVEN + 1, 0.6 * sheet.contrast))].sum()
    return bool(between < 0.15 * border.sum())


def _ramp(sheet: _Sheet) -> list[int]:
    """(256,) the ink for each gray level: none within the grain, full from the commonest strength of the ink on, so
    that strokes in several colors, and hair-thin ones that anti-aliasing makes pale, are full ink too.
    """
    strong = np.where(0.3 * sheet.contrast < _LEVELS, sheet.departures, 0).cumsum()
    full = 0.92 * float(np.searchsorted(strong, 0.6 * strong[-1]))
    floor = min(max(0.1 * full, 3.5 * sheet.grain, 3.0), 0.5 * full)
    away = (sheet.tone - _LEVELS) if sheet.dark else (_LEVELS - sheet.tone)
    ramp = np.clip((away - floor) * (255 / (full - floor)) + 0.5, 0, 255)
    return list(ramp.astype(np.uint8).tobytes())
