"""Ink of other lines that the edges of a picture cut off: it belongs to nothing that can be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .lines import Course, find_courses
from .page_ink import PageInk

_NEAR = 2  # px from the edge of the page
_LOW = 1.2  # letter heights; lower pieces at an edge do not tell where lines run, unless there are no others
_BODY = 0.35  # letter heights above and below the middle of a line, where each of its letters has ink

Mask = NDArray[np.bool_]


def find_lines_within(ink: PageInk, beyond: Mask | None = None) -> tuple[PageInk, list[Course]]:
    """Return the ink without what is cut off from other lines, and where the lines run. beyond: (height, width), what
    is not on the page, as in the corners of one that was turned; None = nothing.
    """
    is_at_edge = _find_at_edge(ink, beyond)
    is_low = ink.boxes[:, 3] - ink.boxes[:, 1] < _LOW * ink.letter
    inner = ink.keep(~(is_at_edge & is_low))
    courses = find_courses(inner) if inner.count else []
    if not courses:
        return ink, find_courses(ink)
    return ink.keep(~is_at_edge | _reach_lines(ink, courses)), courses


def _find_at_edge(ink: PageInk, beyond: Mask | None) -> Mask:
    """Return which pieces touch the upper or the lower edge of the page, (pieces + 1,)."""
    is_at_edge = np.zeros(ink.count + 1, np.bool_)
    is_at_edge[np.unique(ink.pieces[[0, -1]])] = True
    if beyond is not None and beyond.any():
        near = beyond.copy()
        for step in range(1, _NEAR + 1):
            near[step:] |= beyond[:-step]
            near[:-step] |= beyond[step:]
        is_at_edge[np.unique(ink.pieces[near])] = True
    is_at_edge[0] = False
    return is_at_edge


def _reach_lines(ink: PageInk, courses: list[Course]) -> Mask:
    """Return which pieces reach into the body of a line, (pieces + 1,)."""
    middles = (ink.boxes[:, 0] + ink.boxes[:, 2]) / 2
    heights = np.stack([course.height_at(middles) for course in courses])
    body = _BODY * ink.letter
    return np.asarray(((ink.boxes[:, 1] < heights + body) & (ink.boxes[:, 3] > heights - body)).any(axis=0))
