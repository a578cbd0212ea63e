"""A page as the client returns it."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2
from haleganada.v1 import reading_service_pb2 as pb
from haleganada_client import Unavailable
from haleganada_client.json_values import to_json_value

from tests.unit.clients.reading.scripted_reading import scripted_reader
from tests.unit.clients.scripted import refuse


def polygon(left: float, top: float, right: float, bottom: float) -> pb.Polygon:
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return pb.Polygon(points=[pb.Point(x=x, y=y) for x, y in corners])


def answer(request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
    glyph = pb.TextGlyph(text="ಅ", polygon=polygon(1.1, 2, 3, 4))
    word = pb.TextWord(text="ಅ", polygon=polygon(1, 2, 3, 4), confidence=0.0, glyphs=[glyph])
    line = pb.TextLine(text="ಅ", polygon=polygon(0, 0, 9, 9), words=[word], engine="tesseract")
    line.alternatives.add(text="ಅ", probability=0.75)
    choice = pb.EngineChoice(engine="tesseract", reason="it knows Kannada", mode=pb.READ_MODE_PRINTED)
    block = pb.TextBlock(polygon=polygon(0, 0, 9, 9), lines=[line], choice=choice)
    other = pb.TextBlock(polygon=polygon(0, 0, 9, 9), choice=pb.EngineChoice(engine="x", reason="y"))
    page = pb.PageReading(page=request.page, width=10, height=10, text="ಅ\n", blocks=[block, other], turn_degrees=0)
    return pb.ReadResponse(page=page, pages_total=7)


def test_what_an_engine_does_not_say_is_none_and_zero_stays_zero() -> None:
    with scripted_reader(read=answer) as client:
        page = client.read(b"x", 2, mode="printed")
    assert (page.page, page.pages_total, page.reading) == (2, 7, None)
    assert page.lines[0].confidence is None and page.words[0].confidence == 0.0 and page.glyphs[0].confidence is None
    assert page.turn_degrees == 0 and page.skew_degrees is None
    assert page.blocks[0].choice is not None and page.blocks[0].choice.mode == "printed"
    assert page.blocks[1].choice is not None and page.blocks[1].choice.mode is None
    assert page.glyphs[0].box == (1.1, 2.0, 3.0, 4.0)
    assert [(one.text, one.probability) for one in page.lines[0].alternatives] == [("ಅ", 0.75)]


def test_a_page_as_json_has_points_as_pairs() -> None:
    with scripted_reader(read=answer) as client:
        value = to_json_value(client.read(b"x"))
    assert value["blocks"][0]["lines"][0]["words"][0]["polygon"][0] == [1.0, 2.0]
    assert value["skew_degrees"] is None


def test_a_page_that_ends_its_reader_is_not_sent_again() -> None:
    calls: list[str] = []

    def crash(request: pb.ReadRequest, context: grpc.ServicerContext) -> pb.ReadResponse:
        calls.append(request.file_name)
        refuse(context, code_pb2.UNAVAILABLE, error_details_pb2.ErrorInfo(reason="READER_FAILED"))
        raise AssertionError("abort returned")

    with scripted_reader(read=crash) as client, pytest.raises(Unavailable):
        client.read(b"x")
    assert len(calls) == 1


def test_a_path_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with scripted_reader() as client, pytest.raises(FileNotFoundError):
        client.read(tmp_path / "none.png")
