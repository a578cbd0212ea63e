"""What an engine that reads text implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import PLAIN, LineDecoding, ReadMode
from haleganada_server.core.reading.page import TextLine

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB, dark text on light ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRequest:
    """mode: PRINTED or HANDWRITTEN. languages, decoding: as in ReadOptions. segment_only: find lines, words and glyphs
    without reading them.
    """

    mode: ReadMode
    languages: tuple[str, ...] = ()
    segment_only: bool = False
    decoding: LineDecoding = PLAIN


class TextEngine(Protocol):
    """An engine. One thread at a time uses it. What it needs is imported and loaded at the first use."""

    id: str

    def describe(self) -> EngineInfo:
        """Return what it can do here. Loads no model."""

    def check(self, languages: Sequence[str]) -> None:
        """Raise Precondition, ENGINE_NOT_INSTALLED or LANGUAGE_NOT_INSTALLED, unless it can read these languages
        here. Loads no model.
        """

    def read_page(self, picture: Picture, request: EngineRequest) -> list[TextLine]:
        """Find and read the lines of an upright page or column, in any order, with polygons in px of the picture.

        Raises what check raises, and Exhausted if it takes too long.
        """

    def read_lines(self, pictures: Sequence[Picture], request: EngineRequest) -> list[TextLine]:
        """Read pictures that have one line each, with polygons in px of each; raises what read_page raises."""
