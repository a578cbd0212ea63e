"""`serve --store --objects`: what one server has read and kept is listed, shown, corrected and deleted at each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import reading_service_pb2 as pb

from tests.conftest import RunningServer, StartServer
from tests.contract.reading.taught_loop import Loop, glyphs_of, teach, write
from tests.contract.refusals import expect_refusal
from tests.support.waiting import wait_until

pytest.importorskip("s3fs", reason="the extra cluster is not installed")
pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")


@pytest.fixture
def loops(pair: list[RunningServer]) -> list[Loop]:
    """A page of nine glyphs, of which those of ಗ were not taught, at the server that has read it and at another."""
    one, other = pair
    teach(one, "default", "ಕಖ")
    loop = Loop.read(one, "default", write(("ಕಖಗ ಗಕ", "ಖಗ ಗಖ")))
    return [loop, Loop(other, "default", loop.reading)]


def list_readings(server: RunningServer) -> list[pb.Reading]:
    return list(server.reading.ListReadings(pb.ListReadingsRequest()).readings)


def samples_of(loop: Loop) -> int:
    return loop.server.ocr.Stats(ocr.StatsRequest()).samples_total


def test_a_page_is_corrected_at_each_server(loops: list[Loop]) -> None:
    one, other = loops
    assert [found.reading_id for found in list_readings(other.server)] == [one.reading.reading_id]
    assert other.get().text == one.get().text == "ಕಖ\ufffd \ufffdಕ\nಖ\ufffd \ufffdಖ\n"
    answer = other.name([glyphs_of(other.get())[2].glyph_id], "ಗ")
    assert answer.page.text == "ಕಖಗ ಗಕ\nಖಗ ಗಖ\n" and answer.page.revision == 1
    again = wait_until(lambda: found if (found := one.get()).text == answer.page.text else None, 10)
    assert again.revision == 1
    for number, loop in enumerate((one, other, one), 2):
        glyph = glyphs_of(loop.get())[number]
        assert loop.name([glyph.glyph_id], glyph.text).page.revision == number
    assert {loop.get().revision for loop in loops} == {4}
    for loop in loops:
        wait_until(lambda: list_readings(loop.server)[0].excerpt.split() == one.get().text.split(), 10)  # noqa: B023
    assert all(not found.HasField("expire_time") for loop in loops for found in list_readings(loop.server))


def test_what_a_server_had_alone_becomes_that_of_all(
    start_server: StartServer, database_url: str, tmp_path: Path
) -> None:
    alone = start_server(store=database_url, data_dir=tmp_path / "one")
    teach(alone, "default", "ಕಖ")
    loop = Loop.read(alone, "default", write(("ಕಖಗ ಗಕ", "ಖಗ ಗಖ")))
    corrected = loop.name([glyphs_of(loop.get())[2].glyph_id], "ಗ").page
    alone.stop()
    for name in ("one", "other", "other again"):
        server = start_server(store=database_url, objects=str(tmp_path / "objects"), data_dir=tmp_path / name)
        found = Loop(server, "default", loop.reading)
        assert (found.get().text, found.get().revision) == (corrected.text, 1)
        (listed,) = list_readings(server)
        assert not listed.HasField("expire_time")


def test_of_two_corrections_at_once_one_is_told_to_look_again(loops: list[Loop]) -> None:
    glyphs = glyphs_of(loops[0].get())
    taught = samples_of(loops[0])
    loops[1].get()

    def name(number: int) -> bool:
        try:
            loops[number % 2].name([glyphs[number].glyph_id], "ಗ")
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.ABORTED
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        done = sum(pool.map(name, range(6)))
    assert done >= 1 and {loop.get().revision for loop in loops} == {done}
    wait_until(lambda: samples_of(loops[0]) == samples_of(loops[1]) == taught + done, 10)


def test_what_is_deleted_at_one_server_is_gone_at_all(loops: list[Loop]) -> None:
    one, other = loops
    other.get()
    other.server.reading.DeleteReading(pb.DeleteReadingRequest(reading_id=one.reading.reading_id))
    wait_until(lambda: not list_readings(one.server), 10)
    get = pb.GetReadingRequest(reading_id=one.reading.reading_id)
    assert expect_refusal(lambda: one.server.reading.GetReading(get)).reason == "READING_NOT_FOUND"
    for loop in loops:
        assert not list((loop.server.app.config.data_dir / "readings").glob("*"))


def test_damage_is_told(loops: list[Loop], tmp_path: Path) -> None:
    one, other = loops
    (file,) = (tmp_path / "objects").rglob("page-00001.taught")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert expect_refusal(other.get).code is grpc.StatusCode.DATA_LOSS
    assert one.get().text
