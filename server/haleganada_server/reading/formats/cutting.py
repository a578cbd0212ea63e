"""Cuts regions out of the picture of a page, and encodes them."""

from __future__ import annotations

import io
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.reading.page import Polygon

from .outlines import Box, surround
from .placement import text_quad

_LARGEST = 1.25  # diagonals of the page that a region may measure
_FAR = 2**15  # px; what is drawn to farther places looks the same

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB."""


class Crop(NamedTuple):
    """to_page: (3, 3), maps px of the picture to px of the page."""

    picture: Picture
    to_page: NDArray[np.float64]

    def map_box(self, box: tuple[int, int, int, int]) -> Polygon:
        """Return a box of the crop (left, top, right, bottom) as a polygon of the page."""
        left, top, right, bottom = box
        corners = np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]], np.float64)
        points = cv2.perspectiveTransform(corners, self.to_page)[0]
        return tuple((round(float(x), 2), round(float(y), 2)) for x, y in points)


def cut_box(picture: Picture, box: Box) -> Picture:
    """Return an upright rectangle of a page."""
    return picture[box.top : box.bottom, box.left : box.right]


def cut_polygon(picture: Picture, polygon: Polygon) -> Crop:
    """Return a region made level, as if it had been written so; what is outside of the polygon becomes white."""
    page_height, page_width = picture.shape[:2]
    box = surround(polygon, page_width, page_height)
    corners = _find_corners(polygon, box, (page_height, page_width))
    top, right, bottom, left = (float(np.hypot(*(corners[n] - corners[n - 3]))) for n in range(4))
    width, height = max(1, round((top + bottom) / 2)), max(1, round((left + right) / 2))
    flat = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    to_crop = np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), flat), np.float64)
    # A px is a square from one whole number to the next; OpenCV has whole numbers in the middle of px.
    from_center, to_center = _shift(0.5, 0.5), _shift(-0.5, -0.5)
    matrix = to_center @ to_crop @ _shift(box.left, box.top) @ from_center
    crop = cv2.warpPerspective(
        cut_box(picture, box), matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if len(polygon) > 4:
        outline = cv2.perspectiveTransform(np.array([polygon], np.float64), to_crop)
        edge = np.clip(np.rint(outline), -_FAR, _FAR).astype(np.int32)
        inside = cv2.fillPoly(np.zeros((height, width, 1), np.uint8), [edge], (1,))
        crop = np.where(np.asarray(inside) > 0, crop, 255)
    return Crop(np.asarray(crop, np.uint8), np.asarray(np.linalg.inv(to_crop), np.float64))


def _find_corners(polygon: Polygon, box: Box, page: tuple[int, int]) -> NDArray[np.float64]:
    """Return the corners of what is cut: those of the box if the polygon is no region that could be made level, or is
    far larger than the page. box: around the polygon. page: its height and width.
    """
    corners = text_quad(polygon)
    contour = corners.astype(np.float32)
    fits = float(np.hypot(*np.ptp(corners, axis=0))) <= _LARGEST * float(np.hypot(*page))
    if fits and cv2.isContourConvex(contour) and cv2.contourArea(contour) >= 1:
        return corners
    return np.array(((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)), float)


def _shift(x: float, y: float) -> NDArray[np.float64]:
    return np.array(((1, 0, x), (0, 1, y), (0, 0, 1)), np.float64)


def simplify(picture: Picture) -> Image.Image:
    """Return a picture with as few bits for each px as it needs: 1, 8 or 24."""
    first = picture[..., 0]
    if not ((first == picture[..., 1]).all() and (first == picture[..., 2]).all()):
        return Image.fromarray(np.ascontiguousarray(picture))
    image = Image.fromarray(np.ascontiguousarray(first))
    return image.convert("1", dither=Image.Dither.NONE) if np.isin(first, (0, 255)).all() else image


def to_png(picture: Picture) -> bytes:
    """Return a PNG, quickly made."""
    buffer = io.BytesIO()
    simplify(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def to_jpeg(picture: Picture, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
