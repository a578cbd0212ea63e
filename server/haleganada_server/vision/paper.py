"""Grey values -> ink: what is drawn, whichever way round, and not the paper, its shadow or its grain.

A picture with even paper (every canvas, most scans) keeps its anti-aliased edges. Otherwise the paper is estimated
as the neighbourhood's median, which follows shadows, and the ink is what departs from it (background division as in
Gatos, Pratikakis and Perantonis, "Adaptive degraded document image binarization", Pattern Recognition 39, 2006), cut
at the threshold of Otsu (IEEE SMC 9, 1979).
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from haleganada_server.core.errors import InvalidInput

Grey = NDArray[np.uint8]

BLANK = "shows no drawing; draw something, with more contrast to the paper"
_EVEN = 10  # grey levels by which even paper may vary
_LEAST_CONTRAST = 24  # grey levels between paper and ink
_PHOTO_SIDE = 400
_MEDIAN_SIDE = 48


def find_ink(grey: Grey) -> Grey:
    """(h, w) grey -> ink 0..255, 255 = full ink; photos come back reduced. Raises InvalidInput for a blank picture."""
    paper = _even_paper(grey)
    return _from_even(grey, paper) if paper is not None else _from_photo(grey)


def _even_paper(grey: Grey) -> int | None:
    """The grey of the paper if it is the same everywhere: that of the border, else of the majority; None if uneven."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    candidate = int(np.median(border))
    if _share(border, candidate) >= 0.6 and _share(grey, candidate) >= 0.25:
        return candidate if _is_two_toned(grey, candidate) else None
    majority = int(np.bincount(grey.ravel(), minlength=256).argmax())
    return majority if _share(grey, majority) >= 0.5 and _is_two_toned(grey, majority) else None


def _share(values: Grey, centre: int) -> float:
    low, high = max(0, centre - _EVEN), min(255, centre + _EVEN)
    return float(np.count_nonzero((values >= low) & (values <= high)) / values.size)


def _is_two_toned(grey: Grey, paper: int) -> bool:
    """Whether what is not paper is mostly far from it: ink, not shadow. Faint, wide transitions mean uneven light."""
    distance = np.abs(grey.astype(np.int16) - paper)
    peak = int(distance.max())
    if peak < _LEAST_CONTRAST:
        return True
    between = np.count_nonzero((distance > _EVEN) & (distance < peak * 0.4))
    return bool(between <= 1.5 * np.count_nonzero(distance >= peak * 0.4) and between < 0.25 * grey.size)


def _from_even(grey: Grey, paper: int) -> Grey:
    darker = max(0, paper - int(grey.min()))
    lighter = max(0, int(grey.max()) - paper)
    peak = max(darker, lighter)
    if peak < _LEAST_CONTRAST:
        raise InvalidInput("glyph.image", BLANK)
    values = np.arange(256)
    departure = (paper - values) if darker >= lighter else (values - paper)
    floor = max(0.08 * peak, 4)  # JPEG ringing and grain stay below
    ramp = np.clip((departure - floor) / (0.92 * peak - floor), 0, 1)
    table: Grey = (ramp * 255).round().astype(np.uint8)
    return np.asarray(table[grey])


def _from_photo(grey: Grey) -> Grey:
    image = Image.fromarray(grey)
    image.thumbnail((_PHOTO_SIDE, _PHOTO_SIDE), Image.Resampling.BOX)
    image = image.filter(ImageFilter.MedianFilter(3))
    departure = _departure(image)
    threshold = _otsu(departure)
    ink, rest = departure[departure > threshold], departure[departure <= threshold]
    grain = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) + 1.0
    if not ink.size or ink.mean() - rest.mean() < max(_LEAST_CONTRAST, 5 * grain):
        raise InvalidInput("glyph.image", BLANK)
    soft = np.clip((departure - 0.6 * threshold) / (0.8 * threshold), 0, 1)
    return _without_specks((soft * 255).astype(np.uint8))


def _departure(image: Image.Image) -> NDArray[np.float32]:
    """By how many levels each pixel departs from the paper around it, in the direction of the ink."""
    grey = np.asarray(image, dtype=np.float32)
    small = image.resize(_fitted(image.size), Image.Resampling.BOX).filter(ImageFilter.MedianFilter(9))
    small = small.filter(ImageFilter.GaussianBlur(2))
    paper = np.maximum(np.asarray(small.resize(image.size, Image.Resampling.BICUBIC), dtype=np.float32), 8.0)
    darker, lighter = np.clip(paper - grey, 0, None), np.clip(grey - paper, 0, None)
    if np.percentile(lighter[::2, ::2], 99) > np.percentile(darker[::2, ::2], 99) * 1.3:
        return np.asarray(lighter * (255.0 / np.maximum(255.0 - paper, 64.0)))
    return np.asarray(darker * (255.0 / paper))  # division: a shadow weakens paper and ink alike


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    scale = _MEDIAN_SIDE / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _otsu(values: NDArray[np.float32]) -> float:
    """The threshold that separates two groups of levels best."""
    histogram = np.histogram(values, bins=256, range=(0, 256))[0].astype(np.float64)
    levels = np.arange(256) + 0.5
    below = np.cumsum(histogram)
    above = below[-1] - below
    mass = np.cumsum(histogram * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    return float(levels[int(np.nan_to_num(spread).argmax())])


def _without_specks(ink: Grey) -> Grey:
    """Drop components that are tiny and faint beside the largest, and so would only widen the ink box."""
    cells = np.asarray(Image.fromarray(ink).resize((64, 64), Image.Resampling.BOX), dtype=np.float32)
    parts = _components(cells > 20)
    masses = [float(sum(cells[cell] for cell in part)) for part in parts]
    if len(parts) < 2:
        return ink
    keep = np.zeros((64, 64), dtype=np.uint8)
    for part, mass in zip(parts, masses, strict=True):
        if mass >= 0.02 * max(masses):
            keep[tuple(np.array(part).T)] = 255
    mask = Image.fromarray(keep).filter(ImageFilter.MaxFilter(3)).resize(ink.shape[::-1], Image.Resampling.NEAREST)
    return np.where(np.asarray(mask) > 0, ink, 0).astype(np.uint8)


def _components(mask: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """8-connected groups of True cells of a small mask."""
    open_cells = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    parts = []
    while open_cells:
        queue, part = deque([open_cells.pop()]), []
        while queue:
            y, x = queue.popleft()
            part.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & open_cells
            open_cells -= near
            queue.extend(near)
        parts.append(part)
    return parts
