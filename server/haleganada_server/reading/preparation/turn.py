"""Pages that lie on their side or upside down are turned.

The direction in which lines stand out tells whether the page lies on its side; the letters tell which way up it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import Gray, Parts
from .profile import Direction, find_direction
from .skew import level
from .upright import measure_uprightness

_SURE = 1.25
"""Times that lines across must be sharper than lines along, or the other way round."""
_SURE_ODDS = 0.35
"""Mean log odds, see upright.py."""
_SURE_UPSIDE_DOWN = 0.5
"""What it takes to turn over a page whose lines are level already, which most pages are rightly."""
_CODES = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Turn:
    """degrees: by which the page must be turned clockwise: 0, 90, 180 or 270; None if that is not sure. direction: of
    the lines after that.
    """

    degrees: int | None
    direction: Direction | None


def find_turn(gray: Gray, parts: Parts) -> Turn:
    """Look at a dark-on-light page. parts: of its ink."""
    if not parts.is_text:
        return Turn(None, None)
    text = parts.drop_large()
    across, along = find_direction(text), find_direction(np.ascontiguousarray(np.rot90(text, 3)))
    if across is None or along is None:
        return Turn(None, across)
    if across.sharpness > _SURE * along.sharpness:
        degrees, direction = 0, across
    elif along.sharpness > _SURE * across.sharpness:
        degrees, direction = 90, along
    else:
        return Turn(None, across)
    odds = measure_uprightness(level(np.ascontiguousarray(np.rot90(gray, -degrees // 90)), direction.degrees)[0])
    if odds is None or abs(odds) < (_SURE_UPSIDE_DOWN if odds < 0 and degrees == 0 else _SURE_ODDS):
        return Turn(None, across)
    return Turn(degrees if odds > 0 else degrees + 180, direction)


def turn(picture: NDArray[np.uint8], degrees: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the picture turned clockwise, and the map (2, 3) of its px to the given ones. degrees: 90, 180 or 270."""
    height, width = picture.shape[:2]
    back = {
        90: [[0.0, 1.0, 0.0], [-1.0, 0.0, height]],
        180: [[-1.0, 0.0, width], [0.0, -1.0, height]],
        270: [[0.0, -1.0, width], [1.0, 0.0, 0.0]],
    }[degrees]
    return np.asarray(cv2.rotate(picture, _CODES[degrees]), np.uint8), np.array(back)
