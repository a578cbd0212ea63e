"""A page in a script that a workspace was taught, and its corrections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1.common_pb2 import Glyph

from tests.conftest import RunningServer
from tests.contract import drawings

from .taught_pages import Page

LETTERS: dict[str, Callable[[float], Glyph]] = {
    "ಕ": drawings.cross,
    "ಖ": drawings.ring,
    "ಗ": drawings.ladder,
    "ಘ": drawings.capital_a,
    "ಙ": drawings.three,
}
TEXT = ("ಕಖಗ ಘಙ", "ಙಙಕ ಖಗಘ ಕ", "ಗಕಘಖ ಙಗ")


def teach(server: RunningServer, workspace: str, letters: str = "".join(LETTERS)) -> None:
    for letter in letters:
        for shift in (0.0, 6.0):
            glyph = LETTERS[letter](shift)
            server.ocr.Train(ocr.TrainRequest(workspace=workspace, label=letter, glyph=glyph))


def write(lines: tuple[str, ...], gap: float = 16) -> Page:
    page = Page((1200, 900))
    for line in lines:
        page.write([[LETTERS[letter](3.0) for letter in word] for word in line.split()], gap)
    return page


def glyphs_of(page: pb.PageReading) -> list[pb.TextGlyph]:
    return [glyph for block in page.blocks for line in block.lines for word in line.words for glyph in word.glyphs]


@dataclass(frozen=True)
class Loop:
    """A reading of one page that is kept."""

    server: RunningServer
    workspace: str
    reading: pb.Reading

    @classmethod
    def read(cls, server: RunningServer, workspace: str, page: Page) -> Loop:
        options = pb.ReadOptions(mode=pb.READ_MODE_TAUGHT, workspace=workspace, keep=True)
        request = pb.ReadRequest(document=page.to_png(), options=options)
        return cls(server, workspace, server.reading.Read(request).reading)

    def get(self) -> pb.PageReading:
        """Return the page as it reads now."""
        return self.server.reading.GetReading(pb.GetReadingRequest(reading_id=self.reading.reading_id, page=1)).page

    def correct(self, **fields: Any) -> pb.CorrectReadingResponse:
        return self.server.reading.CorrectReading(
            pb.CorrectReadingRequest(reading_id=self.reading.reading_id, **fields)
        )

    def name(self, glyph_ids: Sequence[int], text: str, **fields: Any) -> pb.CorrectReadingResponse:
        return self.correct(name=pb.GlyphNaming(glyph_ids=glyph_ids, text=text), **fields)

    def export(self, form: pb.ReadingFormat.ValueType) -> bytes:
        request = pb.ExportReadingRequest(reading_id=self.reading.reading_id, format=form)
        return b"".join(part.chunk for part in self.server.reading.ExportReading(request))
