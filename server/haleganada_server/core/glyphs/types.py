"""A drawn character as callers send it: an image, or pen strokes."""

from __future__ import annotations

from dataclasses import dataclass

_POINT_BYTES = 64  # two Python floats and the places that refer to them


@dataclass(frozen=True, slots=True)
class Stroke:
    """One movement of the pen, from pen down to pen up.

    x, y: canvas units, y pointing down, equally long, at least one point. t: milliseconds since the drawing began,
    empty or as long as x. pressure: 0..1, empty or as long as x.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    t: tuple[float, ...] = ()
    pressure: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Ink:
    """A drawing as pen strokes on a canvas of width x height canvas units.

    pen_width: thickness of the pen in canvas units; 0 means the default, 1/24 of the canvas's smaller side.
    """

    strokes: tuple[Stroke, ...]
    width: float
    height: float
    pen_width: float = 0.0

    @property
    def points(self) -> int:
        """The number of points of all strokes."""
        return sum(len(stroke.x) for stroke in self.strokes)


@dataclass(frozen=True, slots=True)
class Glyph:
    """One drawn character: either the bytes of an image, or ink. Exactly one of the two is set.

    synthetic: a program made it, for example from a font.
    """

    image: bytes | None = None
    ink: Ink | None = None
    synthetic: bool = False

    @property
    def memory_bytes(self) -> int:
        """About how much memory the drawing takes, before it is decoded."""
        return len(self.image or b"") + _POINT_BYTES * (self.ink.points if self.ink else 0)
