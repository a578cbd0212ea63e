"""The drawings whose rasters are kept in golden/: one for each way in which a drawing can be sent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from PIL import Image

from tests.unit.server.vision.drawings import (
    Gray,
    coverage,
    curve,
    encode_image,
    letter,
    mix_gray,
    photo,
    stroke,
    transparent,
)

_COVER = coverage(letter(), 280)


def _png(image: Image.Image) -> Glyph:
    return Glyph(image=encode_image(image))


def _jpeg(image: Image.Image, quality: int = 80) -> Glyph:
    return Glyph(image=encode_image(image, "JPEG", quality=quality))


def _gray() -> Gray:
    return np.asarray(mix_gray(_COVER))


def _deep() -> Image.Image:
    return Image.fromarray(_gray().astype(np.uint16) * 257)


def _palette() -> Image.Image:
    return mix_gray(_COVER).convert("P", palette=Image.Palette.ADAPTIVE, colors=16)


def _eraser() -> Image.Image:
    """Return black ink on a transparent canvas, with a second letter erased by a white pen."""
    wiped = transparent(coverage(letter(40, at=(0.5, 0.5)), 280), (255, 255, 255))
    wiped.alpha_composite(transparent(_COVER))
    return wiped


def _sheet() -> Image.Image:
    """Return an opaque sheet of paper with a drawing, on a transparent canvas."""
    canvas = Image.new("RGBA", (280, 280))
    canvas.paste(mix_gray(_COVER).convert("RGBA").crop((10, 10, 270, 270)), (10, 10))
    return canvas


def _draw_colored() -> Image.Image:
    """Return red and blue strokes on white."""
    first = coverage(Ink(letter().strokes[:1], 280, 280, 10), 280)[..., None]
    rest = coverage(Ink(letter().strokes[1:], 280, 280, 10), 280)[..., None]
    pixels = 255.0 - first * np.array([0, 255, 255.0])
    pixels = pixels * (1 - rest) + rest * np.array([0, 90, 255.0])
    return Image.fromarray(pixels.round().astype(np.uint8))


def _blue_on_black() -> Image.Image:
    return Image.merge("RGB", (Image.new("L", (280, 280)),) * 2 + (Image.fromarray((_COVER * 255).astype(np.uint8)),))


def _wave(height: float) -> Stroke:
    """Return a long flat wave with sharp turns, of more points than are drawn."""
    t = np.linspace(0, 1, 240)
    return curve(20 + 240 * t, height + 4 * np.sin(40 * t) + 3 * (np.arange(240) % 16 == 0))


LIKE_THE_STROKES: dict[str, Callable[[], Glyph]] = {
    "black_on_white": lambda: _png(mix_gray(_COVER)),
    "white_on_black": lambda: _png(mix_gray(_COVER, 255, 0)),
    "gray_on_gray": lambda: _png(mix_gray(_COVER, 90, 170)),
    "transparent_black_ink": lambda: _png(transparent(_COVER)),
    "transparent_white_ink": lambda: _png(transparent(_COVER, (255, 255, 255))),
    "transparent_red_ink": lambda: _png(transparent(_COVER, (220, 40, 40))),
    "transparent_gray_alpha": lambda: _png(transparent(_COVER).convert("LA")),
    "transparent_with_eraser": lambda: _png(_eraser()),
    "sheet_on_transparent": lambda: _png(_sheet()),
    "color_rgb": lambda: _png(_draw_colored()),
    "blue_on_black": lambda: _png(_blue_on_black()),
    "palette": lambda: _png(_palette()),
    "palette_transparent": lambda: _png(transparent(_COVER).quantize(32)),
    "one_bit": lambda: _png(mix_gray(_COVER).convert("1", dither=Image.Dither.NONE)),
    "sixteen_bit": lambda: _png(_deep()),
    "twelve_of_sixteen_bit": lambda: _png(Image.fromarray(np.asarray(_deep()) >> 4)),
    "jpeg_gray": lambda: _jpeg(mix_gray(_COVER), 60),
    "jpeg_rgb": lambda: _jpeg(_draw_colored(), 90),
    "jpeg_cmyk": lambda: _jpeg(mix_gray(_COVER).convert("RGB").convert("CMYK")),
    "webp_lossy": lambda: Glyph(image=encode_image(mix_gray(_COVER).convert("RGB"), "WEBP", quality=70)),
    "webp_lossless_alpha": lambda: Glyph(image=encode_image(transparent(_COVER), "WEBP", lossless=True)),
    "hidpi_3x": lambda: _png(mix_gray(coverage(letter(), 840))),
    "photo_with_shadow": lambda: _jpeg(photo(coverage(letter(), 840))),
    "photo_of_pencil": lambda: _jpeg(photo(coverage(letter(), 840), ink=0.6)),
    "photo_in_dim_light": lambda: _jpeg(photo(coverage(letter(), 840), paper=90.0)),
    "photo_of_blackboard": lambda: _jpeg(Image.fromarray(255 - np.asarray(photo(coverage(letter(), 840), ink=0.2)))),
    "photo_small_in_large": lambda: _jpeg(photo(coverage(letter(6.5, 840, (0.3, 0.6), 0.13), 1680))),
}
"""Pictures of letter(), or of one that differs only in size: their rasters are close to that of its strokes."""

OTHERS: dict[str, Callable[[], Glyph]] = {
    "strokes": lambda: Glyph(ink=letter()),
    "hair_thin_pen": lambda: _png(mix_gray(coverage(letter(1.0), 280))),
    "hair_thin_pen_on_large_canvas": lambda: _png(mix_gray(coverage(letter(2.0, 1200.0), 1200))),
    "hair_thin_strokes": lambda: Glyph(ink=letter(1.0)),
    "very_thick_strokes": lambda: Glyph(ink=letter(60.0)),
    "wavy_strokes": lambda: Glyph(ink=Ink(tuple(_wave(height) for height in (100, 112, 126)), 280, 280, 3)),
    "very_thick_pen": lambda: _png(mix_gray(coverage(letter(45.0), 280))),
    "pen_over_half_the_picture": lambda: _png(mix_gray(coverage(letter(75.0, size=0.6), 280))),
    "ink_at_the_border": lambda: _png(mix_gray(coverage(letter(14.0, size=1.05), 280))),
    "single_dot": lambda: _png(mix_gray(coverage(Ink((stroke((140, 150)),), 280, 280, 12), 280))),
    "single_dot_strokes": lambda: Glyph(ink=Ink((stroke((140, 150)),), 280, 280, 12)),
    "single_dot_photo": lambda: _jpeg(photo(coverage(Ink((stroke((140, 150)),), 280, 280, 12), 840))),
    "comma": lambda: _png(mix_gray(coverage(Ink((stroke((140, 150), (132, 175)),), 280, 280, 8), 280))),
}

CASES = LIKE_THE_STROKES | OTHERS
PICTURES = {name: drawn for name, drawn in CASES.items() if not name.endswith("strokes")}
