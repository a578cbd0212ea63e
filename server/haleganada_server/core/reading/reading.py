"""A reading: what was found in one document."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ReadingFormat(Enum):
    """The format of a file that has a reading. The value is used on the command line."""

    TEXT = "text"
    JSON = "json"
    HOCR = "hocr"
    ALTO = "alto"
    PAGE_XML = "page"
    PDF = "pdf"
    TSV = "tsv"
    WORDS = "words"
    """A zip in the layout of the IAM database: words.txt, words/, page/."""
    CROPS = "crops"
    """A zip with a picture of each line, word and glyph, an overlay of each page, and manifest.json."""
    GLYPHS = "glyphs"
    """A zip with a folder for each label, which has a picture of each glyph that a person settled so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingInfo:
    """A reading that is kept, without its pages. file_name: of the document, "" = not given. pages: the numbers of
    those that were read. create_us, expire_us: microseconds since 1970; expire_us is None if it was corrected, and does
    not expire. size: bytes of all its files. workspace: that has read it, "" = none. damaged: it can only be deleted.
    """

    reading_id: str
    file_name: str
    pages: tuple[int, ...]
    pages_total: int
    excerpt: str
    engines: tuple[str, ...]
    create_us: int
    expire_us: int | None
    size: int
    workspace: str = ""
    damaged: bool = False

    @property
    def position(self) -> str:
        """Its place in lists, which begin with the greatest."""
        return f"{self.create_us:020}-{self.reading_id}"
