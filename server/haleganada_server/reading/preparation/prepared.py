"""A page that is ready for an engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import Polygon, StepPicture

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in px."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedPage:
    """picture: (height, width, 3) RGB, dark upright text on light ground. to_page: (2, 3) float64, maps px of the
    picture to px of the page. columns: where text stands, in reading order, in px of the picture; empty if nobody
    looked. turn_degrees, skew_degrees: as in PageReading.
    """

    picture: NDArray[np.uint8]
    to_page: NDArray[np.float64]
    columns: tuple[Box, ...] = ()
    turn_degrees: int | None = None
    skew_degrees: float | None = None
    step_pictures: tuple[StepPicture, ...] = ()

    def map_polygon(self, polygon: Polygon) -> Polygon:
        """Return a polygon of the picture in px of the page."""
        points = np.asarray(polygon, np.float64) @ self.to_page[:, :2].T + self.to_page[:, 2]
        return tuple((float(x), float(y)) for x, y in points)
