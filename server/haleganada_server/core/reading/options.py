"""What a caller can ask for when a document is read. The values of the enums are used on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from haleganada_server.core.labels import DEFAULT_WORKSPACE


class ReadMode(Enum):
    """What is on a page."""

    AUTO = "auto"
    """Decided for each region."""
    PRINTED = "printed"
    HANDWRITTEN = "handwritten"
    TAUGHT = "taught"
    """In the script that a workspace was taught."""


class PreparationStep(Enum):
    """One step of what is done to a page before its text is read, in this order."""

    POLARITY = "polarity"
    TURN = "turn"
    SKEW = "skew"
    LIGHT = "light"
    RULED_LINES = "ruled-lines"
    COLUMNS = "columns"


class TextLayer(Enum):
    """What to do with the text that a PDF has already."""

    USE = "use"
    REPLACE = "replace"


class ReadingOrder(Enum):
    """In which order the glyphs of a page follow each other."""

    LEFT_TO_RIGHT = "left-to-right"
    RIGHT_TO_LEFT = "right-to-left"
    COLUMNS_FROM_RIGHT = "columns-from-right"
    COLUMNS_FROM_LEFT = "columns-from-left"
    BOUSTROPHEDON = "boustrophedon"


@dataclass(frozen=True, slots=True)
class LineDecoding:
    """How engines that are models of lines get from what they see to a text. lexicon: words that they prefer.
    alternatives: how many ways to read each line they return.
    """

    lexicon: tuple[str, ...] = ()
    alternatives: int = 0


PLAIN = LineDecoding()
"""Nothing is known of the text, and one way to read it is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How to read a document. engine: an id, "" = one that suits mode and languages. languages: ISO 639 codes or an
    engine's own names, the main one first. model_folder: of the model that an engine of LINE_ENGINE reads with, once
    the server has found it; never a caller's. workspace: whose script ReadMode.TAUGHT reads. reading_order: of the
    glyphs on its pages.
    """

    mode: ReadMode = ReadMode.AUTO
    engine: str = ""
    languages: tuple[str, ...] = ()
    skipped_steps: frozenset[PreparationStep] = frozenset()
    text_layer: TextLayer = TextLayer.USE
    segment_only: bool = False
    debug: bool = False
    workspace: str = DEFAULT_WORKSPACE
    model_folder: str = ""
    reading_order: ReadingOrder = ReadingOrder.LEFT_TO_RIGHT
    decoding: LineDecoding = PLAIN

    @property
    def taught_workspace(self) -> str:
        """The workspace that reads; "" if none does."""
        return self.workspace if self.mode is ReadMode.TAUGHT else ""
