"""From pixels of a page as a viewer shows it to the coordinates in which a PDF describes that page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pikepdf
from numpy.typing import NDArray

_LETTER = (0.0, 0.0, 612.0, 792.0)  # what PDFium takes for granted
_MAX_DEPTH = 50


def find_inherited(page: pikepdf.Page, key: str) -> Any:
    """Return an attribute of a page or of the node of the page tree that it inherits it from; None without one."""
    node: Any = page.obj
    for _ in range(_MAX_DEPTH):  # a damaged tree may have a loop
        if node is None or key in node:
            break
        node = node.get("/Parent")
    return None if node is None else node.get(key)


def px_to_points(page: pikepdf.Page, width: int, height: int) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that maps px of a page, shown with width x height px, to its coordinates."""
    left, bottom, right, top = visible_box(page)
    w, h = right - left, top - bottom
    turns = rotation(page) // 90
    # where the upper left corner as shown is, and where its upper and left edges lead to
    corner, across, down = (
        ((left, top), (w, 0.0), (0.0, -h)),
        ((left, bottom), (0.0, h), (w, 0.0)),
        ((right, bottom), (-w, 0.0), (0.0, h)),
        ((right, top), (0.0, -h), (-w, 0.0)),
    )[turns]
    return np.column_stack((np.divide(across, width), np.divide(down, height), corner))


def rotation(page: pikepdf.Page) -> int:
    """Return by how many degrees a viewer turns the page clockwise: 0, 90, 180 or 270."""
    try:
        return int(find_inherited(page, "/Rotate") or 0) // 90 * 90 % 360
    except (TypeError, ValueError):
        return 0


def visible_box(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of what a viewer shows."""
    media = _read_box(page, "/MediaBox") or _LETTER
    crop = _read_box(page, "/CropBox") or media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if left < right and bottom < top else media


def _read_box(page: pikepdf.Page, key: str) -> tuple[float, float, float, float] | None:
    try:
        x0, y0, x1, y1 = (float(value) for value in find_inherited(page, key))
    except (TypeError, ValueError):
        return None
    left, right, bottom, top = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    return (left, bottom, right, top) if left < right and bottom < top else None
