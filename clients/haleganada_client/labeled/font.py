"""Draws labels in a font, so that a workspace can begin with it. HarfBuzz shapes and draws them, as in a text program.

Needs the font extra, uharfbuzz.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from haleganada_client.errors import FailedPrecondition, InvalidInput
from haleganada_client.installation import describe_install

if TYPE_CHECKING:
    import uharfbuzz

_EM = 96.0  # px
_MARGIN = 8  # px
_MOST_NAMED = 8  # labels in an error


def read_characters(path: Path) -> list[str]:
    """Return the labels in a text file, which white space parts, each once.

    Raise InvalidInput if it has none, or is not in UTF-8; OSError.
    """
    try:
        labels = list(dict.fromkeys(path.read_bytes().decode("utf-8-sig").split()))
    except UnicodeDecodeError:
        raise InvalidInput(f"{path.name} is not UTF-8; save it as UTF-8", "INVALID_INPUT", "characters") from None
    if not labels:
        raise InvalidInput(
            f"{path.name} has no labels; write some into it, separated by white space", "INVALID_INPUT", "characters"
        )
    return labels


def draw_labels(font: Path, labels: Sequence[str]) -> list[memoryview]:
    """Return a picture of each label, (height, width) bytes, 0 = ink, 255 = paper.

    Raise InvalidInput for a file that is no font, and for labels that it cannot draw; FailedPrecondition without the
    font extra; OSError.
    """
    drawer = _LabelDrawer(font)
    pictures = [drawer.draw(label) for label in labels]
    missing = [label for label, picture in zip(labels, pictures, strict=True) if picture is None]
    if missing:
        shown = ", ".join(f"{label} ({_list_code_points(label)})" for label in missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise InvalidInput(
            f"the font {font.name} cannot draw {shown}{more}; leave them out, or use a font that can",
            "INVALID_INPUT",
            "font",
        )
    return [picture for picture in pictures if picture is not None]


class _LabelDrawer:
    """A font that draws."""

    def __init__(self, path: Path) -> None:
        try:
            import uharfbuzz
        except ImportError:
            raise FailedPrecondition(
                f"fonts need the font extra; install it with: {describe_install('font')}", "EXTRA_NOT_INSTALLED"
            ) from None
        self._harfbuzz = uharfbuzz
        face = uharfbuzz.Face(path.read_bytes())
        if not face.glyph_count:
            raise InvalidInput(f"{path.name} is not a font; give a .ttf, .otf or .ttc file", "INVALID_INPUT", "font")
        self._font = uharfbuzz.Font(face)
        self._scale = _EM / face.upem

    def draw(self, label: str) -> memoryview | None:
        """Return a picture of a label; None if the font lacks a glyph for it, or shows nothing."""
        buffer = self._harfbuzz.Buffer()
        buffer.add_str(label)
        buffer.guess_segment_properties()
        buffer.flags = self._harfbuzz.BufferFlags.DO_NOT_INSERT_DOTTED_CIRCLE  # below a vowel sign that stands alone
        self._harfbuzz.shape(self._font, buffer)
        canvas = self._harfbuzz.RasterDraw()
        x = y = 0
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions or (), strict=True):
            if info.codepoint == 0:  # the number of the glyph since it was shaped; 0 is that of a missing one
                return None
            left, up = (self._scale * at for at in (x + position.x_offset, y + position.y_offset))
            canvas.transform = (self._scale, 0, 0, self._scale, left, up)
            canvas.draw_glyph(self._font, info.codepoint)
            x, y = x + position.x_advance, y + position.y_advance
        image = canvas.render()
        return _to_picture(image.buffer, image.extents) if image and image.extents.width else None


def _to_picture(levels: bytes, extents: uharfbuzz.RasterExtents) -> memoryview | None:
    """Return black on white with a margin. levels: 255 = ink, rows from the bottom, extents.stride bytes apart."""
    blank = bytes(extents.width + 2 * _MARGIN)
    side = bytes(_MARGIN)
    rows = [
        side + levels[row * extents.stride : row * extents.stride + extents.width] + side
        for row in reversed(range(extents.height))
    ]
    inverted = bytes(range(255, -1, -1))
    picture = b"".join([*[blank] * _MARGIN, *rows, *[blank] * _MARGIN]).translate(inverted)
    return memoryview(picture).cast("B", (extents.height + 2 * _MARGIN, len(blank))) if any(levels) else None


def _list_code_points(label: str) -> str:
    return " ".join(f"U+{ord(sign):04X}" for sign in label)
