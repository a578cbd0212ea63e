"""kill -9 between the steps of a correction: what was acknowledged is there, and what was not is whole or absent."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc, reading_service_pb2_grpc
from haleganada.v1 import reading_service_pb2 as pb

from tests.contract.reading.taught_loop import glyphs_of, write
from tests.e2e.processes import ServerProcess
from tests.e2e.server.reading.test_whole_servers import start_server
from tests.support.slow import slow

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")

TAUGHT, WRITTEN, SYNCED, NOTED = (f"correction.{step}" for step in ("taught", "written", "synced", "noted"))
LABELS = "ಕಖಗಘಙ"


@dataclass
class Page:
    """A page that is corrected through a server that dies, and what was acknowledged: texts by the ids of glyphs. Their
    places in the page change when a name makes two glyphs of one beside it.
    """

    data: Path
    reading_id: str = ""
    acknowledged: dict[int, str] = field(default_factory=dict)
    revision: int = 0
    tried: tuple[int, str] = (0, "")  # the last, which may have been noted, or not

    @contextmanager
    def serve(self, failpoint: str = "") -> Iterator[tuple[ServerProcess, grpc.Channel]]:
        running = start_server(self.data, failpoint)
        try:
            with grpc.insecure_channel(running.address) as channel:
                yield running, channel
        finally:
            running.kill()

    def read(self, channel: grpc.Channel) -> None:
        options = pb.ReadOptions(mode=pb.READ_MODE_TAUGHT, keep=True)
        request = pb.ReadRequest(document=write(("ಕಖಗ ಘಙ", "ಙಕಖ")).to_png(), options=options)
        self.reading_id = reading_service_pb2_grpc.ReadingServiceStub(channel).Read(request).reading.reading_id

    def name(self, channel: grpc.Channel, number: int, text: str) -> None:
        """Name a glyph; raise grpc.RpcError if the server dies meanwhile."""
        glyph_id = glyphs_of(self.get(channel))[number].glyph_id
        self.tried = glyph_id, text
        request = pb.CorrectReadingRequest(
            reading_id=self.reading_id, name=pb.GlyphNaming(glyph_ids=[glyph_id], text=text)
        )
        answer = reading_service_pb2_grpc.ReadingServiceStub(channel).CorrectReading(request, timeout=60)
        self.acknowledged[glyph_id], self.revision = text, answer.page.revision

    def get(self, channel: grpc.Channel) -> pb.PageReading:
        request = pb.GetReadingRequest(reading_id=self.reading_id, page=1)
        return reading_service_pb2_grpc.ReadingServiceStub(channel).GetReading(request, timeout=60).page

    def check(self, channel: grpc.Channel) -> None:
        """Check that all is there, and go on from that."""
        page = self.get(channel)
        settled = {glyph.glyph_id: glyph.text for glyph in glyphs_of(page) if glyph.settled}
        assert settled in (self.acknowledged, {**self.acknowledged, self.tried[0]: self.tried[1]})
        assert page.revision - self.revision in (0, 1)
        self.acknowledged, self.revision = settled, page.revision

    def count_samples(self, channel: grpc.Channel) -> int:
        return ocr_service_pb2_grpc.OCRServiceStub(channel).Stats(ocr.StatsRequest()).samples_total


@pytest.mark.parametrize("failpoint", [TAUGHT, *slow(WRITTEN, SYNCED, NOTED)])
def test_a_kill_between_the_steps_of_a_correction(tmp_path: Path, failpoint: str) -> None:
    page = Page(tmp_path / "data")
    with page.serve(f"{failpoint}=2") as (_, channel), pytest.raises(grpc.RpcError):
        page.read(channel)
        page.name(channel, 0, "ಕ")
        page.name(channel, 1, "ಖ")
    assert page.revision == 1
    with page.serve() as (_, channel):
        page.check(channel)
        page.name(channel, 1, "ಖ")
        orphans = page.count_samples(channel) - len(page.acknowledged)
        assert orphans == (failpoint == TAUGHT)  # what was written outlives its process
        undo = pb.CorrectReadingRequest(reading_id=page.reading_id, undo=pb.CorrectionUndo(revision=0))
        reading_service_pb2_grpc.ReadingServiceStub(channel).CorrectReading(undo)
        assert page.count_samples(channel) == orphans


@pytest.mark.slow
def test_kills_at_random_moments(tmp_path: Path) -> None:
    dice, page = random.Random(7), Page(tmp_path / "data")
    with page.serve() as (_, channel):
        page.read(channel)
    for _ in range(6):
        with page.serve(f"{dice.choice((TAUGHT, WRITTEN, NOTED))}={dice.randint(1, 6)}") as (_, channel):
            if page.revision:
                page.check(channel)
            with pytest.raises(grpc.RpcError):
                for _ in range(9):
                    page.name(channel, dice.randrange(8), dice.choice(LABELS))
    with page.serve() as (_, channel):
        page.check(channel)
