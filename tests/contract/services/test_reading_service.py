"""ReadingService through the generated stubs over loopback: every RPC, and every bad input of calls with one request.

The text engine is that of tests/support/tiny_reader.py.
"""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from grpc import StatusCode
from haleganada.v1 import common_pb2
from haleganada.v1 import reading_service_pb2 as pb
from PIL import Image

from tests.conftest import RunningServer, StartServer
from tests.contract.refusals import expect_refusal
from tests.support import tiny_reader
from tests.support.tiny_reader import tiny
from tests.support.waiting import wait_until

OPTIONS = pb.ReadOptions(keep=True)


def read(server: RunningServer, document: bytes, **fields: object) -> pb.ReadResponse:
    return server.reading.Read(pb.ReadRequest(document=document, **fields))  # type: ignore[arg-type]


def keep(server: RunningServer, *pages: str, file_name: str = "") -> pb.Reading:
    return read(server, tiny(*pages), options=OPTIONS, file_name=file_name).reading


def test_read(server: RunningServer) -> None:
    answer = read(server, tiny("one", "two words\n\nthree"), page=2)
    page = answer.page
    assert (answer.pages_total, page.page, page.width, page.height) == (2, 2, tiny_reader.WIDTH, tiny_reader.HEIGHT)
    assert page.text == "two words\n\nthree\n" and not answer.HasField("reading")
    assert [[line.text for line in block.lines] for block in page.blocks] == [["two words"], ["three"]]
    line = page.blocks[0].lines[0]
    assert [word.text for word in line.words] == ["two", "words"] and line.engine == "tiny" and line.confidence == 0.75
    assert [(point.x, point.y) for point in line.words[1].polygon.points] == [(30, 2), (55, 2), (55, 10), (30, 10)]
    assert page.HasField("turn_degrees") and not page.HasField("skew_degrees") and page.elapsed_ms == 1.5
    assert not page.step_pictures


def test_read_with_pictures_of_the_preparation(server: RunningServer) -> None:
    page = read(server, tiny("one"), options=pb.ReadOptions(debug=True)).page
    assert [(picture.step, picture.image) for picture in page.step_pictures] == [
        ("skew", tiny_reader.PICTURE),
        ("light", b"ab"),
    ]


def test_read_stream(server: RunningServer) -> None:
    def parts() -> Iterator[pb.ReadStreamRequest]:
        yield pb.ReadStreamRequest(start=pb.DocumentStart(document_id="a", file_name="a.tiny", options=OPTIONS))
        yield pb.ReadStreamRequest(chunk=tiny("one", "two")[:7])
        yield pb.ReadStreamRequest(chunk=tiny("one", "two")[7:])
        yield pb.ReadStreamRequest(end=pb.DocumentEnd(sha256=hashlib.sha256(tiny("one", "two")).hexdigest()))

    answers = list(server.reading.ReadStream(parts()))
    assert sorted((part.page.page.page, part.page.page.text, part.page.pages_total) for part in answers[:-1]) == [
        (1, "one\n", 2),
        (2, "two\n", 2),
    ]
    result = answers[-1].result
    assert (result.document_id, result.pages_read, result.pages_failed) == ("a", 2, 0)
    assert not result.HasField("error") and list(result.reading.pages) == [1, 2]
    assert (
        server.reading.GetReading(pb.GetReadingRequest(reading_id=result.reading.reading_id)).reading == result.reading
    )


def test_list_engines(server: RunningServer) -> None:
    here, missing = server.reading.ListEngines(pb.ListEnginesRequest()).engines
    assert here == pb.Engine(
        engine="tiny",
        display_name="Tiny",
        version="1.0",
        modes=[pb.READ_MODE_PRINTED],
        languages=["en"],
        installed=True,
    )
    assert (missing.engine, missing.installed, missing.install_hint) == (
        "missing",
        False,
        "pip install missing, then start the server again",
    )


def test_list_readings(server: RunningServer) -> None:
    made = [keep(server, f"reading {i}").reading_id for i in range(3)]
    found: list[str] = []
    request = pb.ListReadingsRequest(page_size=2)
    while True:
        page = server.reading.ListReadings(request)
        assert len(page.readings) <= 2
        found += [reading.reading_id for reading in page.readings]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found[:3] == made[::-1] and len(found) == len(set(found))


def test_a_list_goes_on_where_a_reading_was_deleted(server: RunningServer) -> None:
    made = [keep(server, f"reading {i}").reading_id for i in range(3)]
    page = server.reading.ListReadings(pb.ListReadingsRequest(page_size=1))
    server.reading.DeleteReading(pb.DeleteReadingRequest(reading_id=made[2]))
    rest = server.reading.ListReadings(pb.ListReadingsRequest(page_size=2, page_token=page.next_page_token))
    assert [reading.reading_id for reading in rest.readings] == [made[1], made[0]]


def test_get_reading(server: RunningServer) -> None:
    before = time.time()
    kept = keep(server, "ಅ one", "two", file_name="C:\\scans\\page ಅ.png")
    answer = server.reading.GetReading(pb.GetReadingRequest(reading_id=kept.reading_id))
    assert answer.reading == kept and not answer.HasField("page")
    assert (kept.file_name, list(kept.pages), kept.pages_total) == ("page ಅ.png", [1], 2)
    assert (kept.excerpt, list(kept.engines), kept.damaged) == ("ಅ one", ["tiny"], False)
    assert kept.size_bytes > len(tiny("ಅ one", "two"))
    assert before - 1 < kept.create_time.seconds < before + 60
    assert kept.expire_time.seconds - kept.create_time.seconds == 24 * 3600
    page = server.reading.GetReading(pb.GetReadingRequest(reading_id=kept.reading_id, page=1)).page
    assert page == read(server, tiny("ಅ one", "two")).page


def test_get_page_image(server: RunningServer) -> None:
    kept = keep(server, "one")
    drawn = server.reading.GetPageImage(pb.GetPageImageRequest(reading_id=kept.reading_id, max_side=100))
    with Image.open(io.BytesIO(drawn.image)) as image:
        assert (image.format, image.size, (drawn.width, drawn.height)) == ("JPEG", (100, 75), (100, 75))


def test_delete_reading(server: RunningServer) -> None:
    kept = keep(server, "one")
    server.reading.DeleteReading(pb.DeleteReadingRequest(reading_id=kept.reading_id))
    calls: list[Callable[[], object]] = [
        lambda: server.reading.GetReading(pb.GetReadingRequest(reading_id=kept.reading_id)),
        lambda: server.reading.GetPageImage(pb.GetPageImageRequest(reading_id=kept.reading_id)),
        lambda: server.reading.DeleteReading(pb.DeleteReadingRequest(reading_id=kept.reading_id)),
        lambda: list(server.reading.ExportReading(pb.ExportReadingRequest(reading_id=kept.reading_id))),
    ]
    for call in calls:
        refusal = expect_refusal(call)
        assert (refusal.code, refusal.reason) == (StatusCode.NOT_FOUND, "READING_NOT_FOUND")
    listed = server.reading.ListReadings(pb.ListReadingsRequest(page_size=500)).readings
    assert kept.reading_id not in [reading.reading_id for reading in listed]


def test_export_reading(server: RunningServer) -> None:
    kept = keep(server, "one\ntwo", file_name="page.png")
    parts = list(server.reading.ExportReading(pb.ExportReadingRequest(reading_id=kept.reading_id)))
    assert [part.WhichOneof("part") for part in parts] == ["header", "chunk", "trailer"]
    assert (parts[0].header.file_name, parts[0].header.content_type) == ("page.text", "text/plain")
    assert parts[1].chunk == b"one\ntwo\n"
    assert parts[2].trailer.sha256 == hashlib.sha256(parts[1].chunk).hexdigest()


def words_zip(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("words.txt", text)
    return buffer.getvalue()


def pack_import(*chunks: bytes, trailer: common_pb2.TransferTrailer | None = None) -> Iterator[pb.ImportReadingRequest]:
    yield pb.ImportReadingRequest(header=pb.ImportReadingHeader(file_name="words.zip"))
    for chunk in chunks:
        yield pb.ImportReadingRequest(chunk=chunk)
    if trailer is not None:
        yield pb.ImportReadingRequest(trailer=trailer)


def test_import_reading(server: RunningServer) -> None:
    data = words_zip("one two")
    trailer = common_pb2.TransferTrailer(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
    made = server.reading.ImportReading(pack_import(data[:50], data[50:], trailer=trailer)).reading
    assert (made.file_name, list(made.pages), made.pages_total, made.excerpt) == ("words.zip", [1], 1, "one two")
    found = server.reading.GetReading(pb.GetReadingRequest(reading_id=made.reading_id, page=1))
    assert found.reading == made and found.page.text == "one two\n"


def test_a_bad_import(server: RunningServer) -> None:
    refusal = expect_refusal(lambda: server.reading.ImportReading(pack_import(b"no zip")))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "DOCUMENT_UNREADABLE")
    wrong = common_pb2.TransferTrailer(sha256="ab" * 32)
    refusal = expect_refusal(lambda: server.reading.ImportReading(pack_import(words_zip("x"), trailer=wrong)))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("trailer.sha256",))
    refusal = expect_refusal(lambda: server.reading.ImportReading(iter([pb.ImportReadingRequest(chunk=b"x")])))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("header",))


BAD_OPTIONS: dict[str, tuple[dict[str, object], str]] = {
    "a mode that does not exist": ({"mode": 99}, "options.mode"),
    "a step that does not exist": ({"skipped_steps": [0]}, "options.skipped_steps"),
    "a text layer that does not exist": ({"text_layer": 9}, "options.text_layer"),
    "too many languages": ({"languages": ["en"] * 9}, "options.languages"),
    "an empty language": ({"languages": [""]}, "options.languages"),
    "too large a lexicon": ({"lexicon": ["a"] * 50_001}, "options.lexicon"),
    "a word that is no word": ({"lexicon": ["a" * 65]}, "options.lexicon"),
    "too many alternatives": ({"alternatives": 11}, "options.alternatives"),
    "a negative number of alternatives": ({"alternatives": -1}, "options.alternatives"),
    "a strange engine": ({"engine": "a\nb"}, "options.engine"),
}
BAD_REQUESTS = {
    "no document": (pb.ReadRequest(), "document"),
    "too large a document": (pb.ReadRequest(document=b"x" * (15 * 2**20 + 1)), "document"),
    "a page below 1": (pb.ReadRequest(document=b"x", page=-1), "page"),
    "a page beyond all": (pb.ReadRequest(document=b"x", page=5001), "page"),
    "too long a name": (pb.ReadRequest(document=b"x", file_name="x" * 256), "file_name"),
    **{
        name: (pb.ReadRequest(document=b"x", options=pb.ReadOptions(**options)), field)  # type: ignore[arg-type]
        for name, (options, field) in BAD_OPTIONS.items()
    },
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_bad_requests(server: RunningServer, name: str) -> None:
    request, field = BAD_REQUESTS[name]
    refusal = expect_refusal(lambda: server.reading.Read(request))
    assert (refusal.code, refusal.reason, refusal.fields) == (StatusCode.INVALID_ARGUMENT, "INVALID_INPUT", (field,))


REFUSED = {
    "unreadable": (b"no TINY", {}, StatusCode.FAILED_PRECONDITION, "DOCUMENT_UNREADABLE"),
    "a page that is not there": (tiny("one"), {"page": 2}, StatusCode.NOT_FOUND, "PAGE_NOT_FOUND"),
    "an unknown engine": (
        tiny("one"), {"options": pb.ReadOptions(engine="x")}, StatusCode.NOT_FOUND, "ENGINE_NOT_FOUND",
    ),
    "a missing engine": (
        tiny("one"), {"options": pb.ReadOptions(engine="missing")}, StatusCode.FAILED_PRECONDITION,
        "ENGINE_NOT_INSTALLED",
    ),
    "what was taught, by an engine": (
        tiny("one"), {"options": pb.ReadOptions(mode=pb.READ_MODE_TAUGHT, engine="tiny")},
        StatusCode.FAILED_PRECONDITION, "MODE_UNAVAILABLE",
    ),
    "a crash": (tiny("!crash"), {}, StatusCode.UNAVAILABLE, "READER_FAILED"),
    "no memory": (tiny("!memory"), {}, StatusCode.RESOURCE_EXHAUSTED, "DOCUMENT_TOO_LARGE"),
    "a fault": (tiny("!fault"), {}, StatusCode.INTERNAL, "INTERNAL"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_told_and_the_next_is_read(server: RunningServer, name: str) -> None:
    document, fields, code, reason = REFUSED[name]
    refusal = expect_refusal(lambda: read(server, document, **fields))  # type: ignore[arg-type]
    assert (refusal.code, refusal.reason) == (code, reason)
    assert "/" not in refusal.message  # no path, no traceback
    assert read(server, tiny("next")).page.text == "next\n"


def test_a_page_that_takes_too_long(start_server: StartServer) -> None:
    server = start_server(reader_page_s=0.5)
    read(server, tiny("which starts a reader"))
    refusal = expect_refusal(lambda: read(server, tiny("!hang")))
    assert (refusal.code, refusal.reason) == (StatusCode.RESOURCE_EXHAUSTED, "READER_TIMEOUT")
    assert read(server, tiny("next")).page.text == "next\n"


def test_a_call_that_is_over_ends_its_reader(start_server: StartServer, tmp_path: Path) -> None:
    """With one reader, the next call is answered only if that of the first was ended."""
    server = start_server(readers=1)
    with pytest.raises(grpc.RpcError, match="DEADLINE_EXCEEDED"):
        server.reading.Read(pb.ReadRequest(document=tiny("!hang")), timeout=0.5)
    call = server.reading.Read.future(pb.ReadRequest(document=tiny("!hang")))
    wait_until(lambda: [path for path in (tmp_path / "data" / "tmp").iterdir() if path.is_file()])
    call.cancel()
    assert read(server, tiny("next")).page.text == "next\n"
    wait_until(lambda: not [path for path in (tmp_path / "data" / "tmp").iterdir() if path.is_file()])


def test_readings_expire(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(reading_retention_s=0.5)
    kept = keep(server, "one")
    wait_until(lambda: not server.reading.ListReadings(pb.ListReadingsRequest()).readings)
    refusal = expect_refusal(lambda: server.reading.GetReading(pb.GetReadingRequest(reading_id=kept.reading_id)))
    assert refusal.code == StatusCode.NOT_FOUND
    assert (tmp_path / "data" / "readings" / kept.reading_id).exists()  # a moment longer
    server.stop()
    start_server()
    wait_until(lambda: not (tmp_path / "data" / "readings" / kept.reading_id).exists())


def test_readings_outlive_a_restart(start_server: StartServer) -> None:
    server = start_server()
    kept = keep(server, "one", "two", file_name="a.png")
    server.stop()
    server = start_server()
    assert list(server.reading.ListReadings(pb.ListReadingsRequest()).readings) == [kept]
    assert server.reading.GetReading(pb.GetReadingRequest(reading_id=kept.reading_id, page=1)).page.text == "one\n"


def test_the_quota_for_readings(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(reading_quota=20_000)
    kept = read(server, tiny("x" * 12_000, "y"), page=2, options=OPTIONS).reading
    refusal = expect_refusal(lambda: read(server, tiny("x" * 12_000), options=OPTIONS))
    assert (refusal.code, refusal.reason) == (StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
    assert [path for path in (tmp_path / "data" / "tmp").iterdir() if path.is_file()] == []
    server.reading.DeleteReading(pb.DeleteReadingRequest(reading_id=kept.reading_id))
    assert read(server, tiny("x" * 12_000, "y"), page=2, options=OPTIONS).reading.reading_id


def test_correct_reading(server: RunningServer) -> None:
    """More in test_corrections.py, which needs OpenCV."""
    request = pb.CorrectReadingRequest(reading_id=keep(server, "one").reading_id, undo=pb.CorrectionUndo())
    refusal = expect_refusal(lambda: server.reading.CorrectReading(request))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "READING_NOT_CORRECTABLE")


def test_evaluate_reading(server: RunningServer) -> None:
    request = pb.EvaluateReadingRequest(reading_id=keep(server, "one").reading_id)
    refusal = expect_refusal(lambda: server.reading.EvaluateReading(request))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "READING_NOT_CORRECTABLE")


DAMAGE = ("reading.json", "page-00001.json", "document")


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("is_running", [True, False], ids=["running", "restarted"])
def test_damaged_files(start_server: StartServer, tmp_path: Path, name: str, is_running: bool) -> None:
    server = start_server()
    kept = keep(server, "one")
    path = tmp_path / "data" / "readings" / kept.reading_id / name
    if not is_running:
        server.stop()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    if not is_running:
        server = start_server()
    refusal = expect_refusal(
        lambda: list(server.reading.ExportReading(pb.ExportReadingRequest(reading_id=kept.reading_id)))
    )
    assert (refusal.code, refusal.reason) == (StatusCode.DATA_LOSS, "READING_DAMAGED")
    (listed,) = server.reading.ListReadings(pb.ListReadingsRequest()).readings
    assert listed.damaged and listed.reading_id == kept.reading_id
    server.reading.DeleteReading(pb.DeleteReadingRequest(reading_id=kept.reading_id))
    assert not path.parent.exists()
