"""The nouns of the product as frozen dataclasses. No behaviour beyond what a value can say of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Stroke:
    """One movement of the pen, from pen down to pen up.

    x, y: canvas units, y pointing down, equally long, at least one point. t: milliseconds since the drawing began, empty or
    as long as x. pressure: 0..1, empty or as long as x.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    t: tuple[float, ...] = ()
    pressure: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Ink:
    """A drawing as pen strokes on a canvas of width x height canvas units.

    pen_width: thickness of the pen in canvas units; 0 means the default, 1/24 of the canvas' smaller side.
    """

    strokes: tuple[Stroke, ...]
    width: float
    height: float
    pen_width: float = 0.0


@dataclass(frozen=True, slots=True)
class Glyph:
    """One drawn character: either the bytes of a PNG, JPEG or WebP image, or ink. Exactly one of the two is set."""

    image: bytes | None = None
    ink: Ink | None = None


class Decision(Enum):
    """What the server makes of a drawing."""

    RECOGNISED = "recognised"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    NOTHING_TAUGHT = "nothing_taught"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One label that a drawing may be.

    label: the form that was taught. canonical: the label that the form stands for (itself unless linked). probability and
    canonical_probability: 0..1; the second is the sum over all forms of the canonical label. forms: all taught forms of the
    canonical label, the canonical one first. samples: taught samples of this form.
    """

    label: str
    canonical: str
    probability: float
    canonical_probability: float
    forms: tuple[str, ...]
    samples: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one drawing; candidates by falling probability, which together with unknown_probability sum to at most 1."""

    candidates: tuple[Candidate, ...]
    unknown_probability: float
    decision: Decision
    revision: int
    prediction_id: str


@dataclass(frozen=True, slots=True)
class Taught:
    """The answer to a taught sample, sent only after the sample is on disk.

    loss: -ln of the probability that the right label had before the sample was learned (for a new label: the probability of
    “unknown”). revision: the workspace's revision after this sample.
    """

    sample_id: int
    loss: float
    label: str
    trained_as: str
    labels_known: int
    samples_total: int
    revision: int
    duplicate: bool = False
