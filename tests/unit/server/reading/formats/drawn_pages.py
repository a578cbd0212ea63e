"""Pages with ink where their words are."""

from __future__ import annotations

import io
from collections.abc import Iterable

from haleganada_server.core.reading.page import PageReading, Polygon
from PIL import Image, ImageDraw

INK = 40


def draw_words(page: PageReading) -> Image.Image:
    """Return a picture in which each character of a word is a dark bar, so that its ink tells where it is."""
    image = Image.new("L", (page.width, page.height), 250)
    pen = ImageDraw.Draw(image)
    for word in (word for line in page.lines for word in line.words):
        (left, top), (right, bottom) = word.polygon[0], word.polygon[2]
        step = (right - left) / len(word.text or "x")
        for number in range(len(word.text or "x")):
            start = left + number * step
            pen.rectangle((start + step * 0.2, top + 2, start + step * 0.8 - 1, bottom - 3), INK)
    return image


def fill(size: tuple[int, int], polygons: Iterable[Polygon]) -> Image.Image:
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    for polygon in polygons:
        pen.polygon([tuple(point) for point in polygon], INK)
    return image


def to_bytes(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
