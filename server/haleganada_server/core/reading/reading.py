"""A reading: what was found in one document."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from haleganada_server.core.access.identity import Identity
from haleganada_server.core.errors import NotFound


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
    not expire. size: bytes of all its files. workspace: that has read it, "" = none. owner: the name of who had it
    read, "" = not known. damaged: it can only be deleted.
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
    owner: str = ""
    damaged: bool = False

    def is_for(self, identity: Identity) -> bool:
        """Return whether the reading may be seen: by who had it read, and by all who may use its workspace, or every
        workspace.
        """
        if self.owner == identity.name or identity.workspaces is None:
            return True
        return bool(self.workspace) and identity.may_use(self.workspace)

    @property
    def position(self) -> str:
        """Its place in lists, which begin with the greatest."""
        return f"{self.create_us:020}-{self.reading_id}"


def reading_not_found(reading_id: str) -> NotFound:
    """Return the error for a reading that does not exist, or is nobody's business who asks for it."""
    return NotFound("reading", reading_id[:64], "list the readings to see those that have not expired")
