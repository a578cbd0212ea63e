"""Drawings to send: a few shapes that anyone can tell apart, as strokes and as pictures."""

from __future__ import annotations

import io
import math
import random

from haleganada.v1.common_pb2 import Glyph, Ink, Stroke
from PIL import Image, ImageDraw

SIDE = 280
Points = list[tuple[float, float]]


def cross(shift: float = 0.0) -> Glyph:
    """An upright cross; `shift` moves its bars against each other by that many px."""
    return _ink([_line(60, 140 + shift, 220, 140 - shift), _line(140 - shift, 60, 140 + shift, 220)])


def ring(shift: float = 0.0) -> Glyph:
    """A circle that `shift` makes an ellipse."""
    turn = [2 * math.pi * step / 40 for step in range(41)]
    return _ink([[(140 + (80 + shift) * math.cos(a), 140 + (80 - shift) * math.sin(a)) for a in turn]])


def ladder(shift: float = 0.0) -> Glyph:
    """Two uprights and three rungs, `shift` px lower."""
    rungs = [_line(90, y + shift, 190, y + shift) for y in (90.0, 140.0, 190.0)]
    return _ink([_line(90, 50, 90, 230), _line(190, 50, 190, 230), *rungs])


def capital_a(lean: float = 0.0) -> Glyph:
    """A capital A whose tip is `lean` px further right."""
    return _ink([_line(80, 240, 140 + lean, 40) + _line(140 + lean, 40, 200, 240), _line(108, 165, 172, 165)])


def three(lean: float = 0.0) -> Glyph:
    """A 3 whose upper bow is `lean` px further right."""
    bows = [(130 + lean, 90.0, 55.0, 50.0, -140, 90), (130.0, 190.0, 62.0, 50.0, -90, 140)]
    turns = [(bow, [math.radians(low + (high - low) * step / 24) for step in range(25)]) for *bow, low, high in bows]
    return _ink(
        [[(x + width * math.cos(a), y + height * math.sin(a)) for (x, y, width, height), turn in turns for a in turn]]
    )


def seven(lean: float = 0.0) -> Glyph:
    """A 7 that stands `lean` px further right."""
    return _ink([_line(70, 40, 210, 40) + _line(210, 40, 130 + lean, 240)])


def picture(kind: str = "PNG", size: tuple[int, int] = (SIDE, SIDE)) -> bytes:
    """The bytes of an image of a black cross on white."""
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    width, height = size
    pen.line((width * 0.2, height / 2, width * 0.8, height / 2), fill=0, width=max(2, width // 24))
    pen.line((width / 2, height * 0.2, width / 2, height * 0.8), fill=0, width=max(2, width // 24))
    return encode_image(image, kind)


def blank() -> bytes:
    """A PNG of nothing."""
    return encode_image(Image.new("L", (SIDE, SIDE), 255))


def make_animation() -> bytes:
    """Return a WebP of two frames."""
    frames = [Image.new("RGB", (64, 64), color) for color in ("white", "black")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()


def encode_image(image: Image.Image, kind: str = "PNG") -> bytes:
    """Return an image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def _line(x0: float, y0: float, x1: float, y1: float) -> Points:
    return [(x0 + (x1 - x0) * step / 20, y0 + (y1 - y0) * step / 20) for step in range(21)]


def _ink(strokes: list[Points]) -> Glyph:
    messages = [Stroke(x=[x for x, _ in points], y=[y for _, y in points]) for points in strokes]
    return Glyph(ink=Ink(strokes=messages, width=SIDE, height=SIDE))


def noise(seed: int) -> bytes:
    """A PNG of many random strokes, different for each seed, that compresses badly."""
    dice = random.Random(seed)
    image = Image.new("L", (SIDE, SIDE), 255)
    pen = ImageDraw.Draw(image)
    for _ in range(150):
        pen.line([dice.randrange(SIDE) for _ in range(4)], fill=0, width=2)
    return encode_image(image)
