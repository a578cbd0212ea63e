"""Trace shapes into thin lines: skeleton pixels become polylines as a pen would draw them.

Branches are followed between end points and crossings. At a crossing, the two branches that continue each other best
become one stroke, as hands draw it (cf. Plamondon and Srihari 2000 on stroke recovery).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from .polylines import Drawing, Points, resample

Pixel = tuple[int, int]
_AROUND = [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)]


def trace(shape: NDArray[np.bool_], spur: float = 0.05, spacing: float = 0.06) -> Drawing | None:
    """Trace a shape into centered polylines, without branches below `spur` of its size; None if it is too small."""
    skeleton: NDArray[np.bool_] = skeletonize(shape)  # type: ignore[no-untyped-call]
    pixels = {(int(y), int(x)) for y, x in np.argwhere(skeleton)}
    if len(pixels) < 3:
        return None
    size = max(np.ptp(np.array(list(pixels)), axis=0)) + 1.0
    ends, branches = _find_branches(pixels)
    kept = [b for b in branches if not _is_spur(b, ends, spur * size)] or branches
    strokes = [np.array(s, np.float32)[:, ::-1] / size for s in _join(kept)]
    return Drawing.from_strokes([resample(_smooth(s), spacing) for s in strokes]).center()


def _neighbors(pixel: Pixel, pixels: set[Pixel]) -> list[Pixel]:
    """Return the neighbors of a skeleton pixel; diagonal ones only if no straight step leads there."""
    y, x = pixel
    straight = [(y + dy, x + dx) for dy, dx in _AROUND[:4] if (y + dy, x + dx) in pixels]
    diagonal = [
        (y + dy, x + dx)
        for dy, dx in _AROUND[4:]
        if (y + dy, x + dx) in pixels and (y + dy, x) not in pixels and (y, x + dx) not in pixels
    ]
    return straight + diagonal


def _find_branches(pixels: set[Pixel]) -> tuple[set[Pixel], list[list[Pixel]]]:
    """Return the end points of a skeleton, and every path of pixels between two nodes or around a ring.

    A pixel by itself, which is what remains of a dot, is a path of twice the same pixel.
    """
    links = {p: _neighbors(p, pixels) for p in pixels}
    nodes = sorted(p for p in pixels if len(links[p]) != 2)
    walked: set[tuple[Pixel, Pixel]] = set()
    paths: list[list[Pixel]] = []
    seen: set[Pixel] = set(nodes)
    for start in nodes:
        for step in links[start]:
            if (start, step) not in walked:
                paths.append(_walk(start, step, links, walked))
                seen.update(paths[-1])
    for start in sorted(pixels - seen):
        if start not in seen:
            paths.append(_walk(start, links[start][0], links, walked))
            seen.update(paths[-1])
    dots = [[p, p] for p in nodes if not links[p]]
    return {p for p in nodes if len(links[p]) < 2}, [p for p in paths if len(p) > 1] + dots


def _walk(start: Pixel, step: Pixel, links: dict[Pixel, list[Pixel]], walked: set[tuple[Pixel, Pixel]]) -> list[Pixel]:
    """Follow the line from `start` through `step` to the next node or back to `start`."""
    path = [start, step]
    while path[-1] != start and len(links[path[-1]]) == 2:
        a, b = links[path[-1]]
        path.append(b if a == path[-2] else a)
    walked.add((path[0], path[1]))
    walked.add((path[-1], path[-2]))
    return path


def _is_spur(branch: list[Pixel], ends: set[Pixel], length: float) -> bool:
    """Return whether a branch is short and has exactly one free end: an artifact of the skeleton, not a stroke."""
    return len(branch) < length and ((branch[0] in ends) != (branch[-1] in ends))


def _join(branches: list[list[Pixel]]) -> list[list[Pixel]]:
    """Merge branches that continue each other (turning by less than about 50 degrees), longest first."""
    strokes = sorted(branches, key=len, reverse=True)
    i = 0
    while i < len(strokes):
        best = _find_continuation(strokes, i)
        if best is None:
            i += 1
            continue
        j, merged = best
        strokes[i] = merged
        del strokes[j]
    return strokes


def _find_continuation(strokes: list[list[Pixel]], i: int) -> tuple[int, list[Pixel]] | None:
    """Return the index of the later stroke that continues stroke i best, and the two merged."""
    best, found = 0.64, None
    for s in (strokes[i], strokes[i][::-1]):
        out = _direction(s[::-1])
        for j in range(i + 1, len(strokes)):
            for t in (strokes[j], strokes[j][::-1]):
                # Nodes of one crossing may be adjacent pixels.
                near = abs(s[-1][0] - t[0][0]) <= 2 and abs(s[-1][1] - t[0][1]) <= 2
                if near and (cosine := float(-out @ _direction(t))) > best:
                    best, found = cosine, (j, s + t)
    return found


def _direction(path: list[Pixel]) -> NDArray[np.float64]:
    """Return the unit vector along the beginning of a path."""
    a, b = np.array(path[0], float), np.array(path[min(6, len(path) - 1)], float)
    return np.asarray((b - a) / max(float(np.hypot(*(b - a))), 1e-6))


def _smooth(stroke: NDArray[np.float32]) -> Points:
    """Apply a running mean of three points, except at the ends, to remove the staircase of the pixels."""
    if len(stroke) < 4:
        return stroke
    inner = (stroke[:-2] + stroke[1:-1] + stroke[2:]) / 3
    return np.concatenate([stroke[:1], inner, stroke[-1:]]).astype(np.float32)
