"""ReadStream over loopback: bad documents among good ones, bad streams, cancelling, callers who stop, kept readings.

The text engine is that of tests/support/tiny_reader.py.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import reading_service_pb2_grpc

from tests.conftest import RunningServer, StartServer
from tests.contract.held import unhurried
from tests.contract.refusals import expect_refusal, parse
from tests.support.tiny_reader import tiny
from tests.support.waiting import wait_until

Part = pb.ReadStreamRequest
OK, CANCELLED = 0, 1


def start(document_id: str, **fields: Any) -> Part:
    return Part(start=pb.DocumentStart(document_id=document_id, **fields))


def end(sha256: str = "") -> Part:
    return Part(end=pb.DocumentEnd(sha256=sha256))


def cancel(document_id: str) -> Part:
    return Part(cancel=pb.DocumentCancel(document_id=document_id))


def document(document_id: str, data: bytes, **fields: Any) -> list[Part]:
    return [start(document_id, **fields), Part(chunk=data), end(hashlib.sha256(data).hexdigest().upper())]


class Answers:
    """What a stream has answered, sorted by document."""

    def __init__(self, answers: Iterable[pb.ReadStreamResponse]) -> None:
        self.texts: dict[str, dict[int, str]] = {}
        self.errors: dict[str, dict[int, str]] = {}
        self.results: dict[str, pb.DocumentResult] = {}
        for answer in answers:
            if answer.WhichOneof("part") == "result":
                assert answer.result.document_id not in self.results
                self.results[answer.result.document_id] = answer.result
                continue
            page = answer.page
            assert page.document_id not in self.results  # which is the last word on a document
            if page.WhichOneof("result") == "page":
                self.texts.setdefault(page.document_id, {})[page.page.page] = page.page.text
            else:
                self.errors.setdefault(page.document_id, {})[page.error.page] = page.error.error.reason

    def reason(self, document_id: str) -> str:
        return self.results[document_id].error.reason


def stream(server: RunningServer, *parts: Part) -> Answers:
    return Answers(server.reading.ReadStream(iter(parts)))


class Conversation:
    """A stream whose requests are sent one by one."""

    def __init__(self, stub: reading_service_pb2_grpc.ReadingServiceStub) -> None:
        self._requests: SimpleQueue[Part | None] = SimpleQueue()
        self.call: Any = stub.ReadStream(iter(self._requests.get, None))

    def send(self, *parts: Part) -> None:
        for part in parts:
            self._requests.put(part)

    def receive(self) -> pb.ReadStreamResponse:
        answer: pb.ReadStreamResponse = next(self.call)
        return answer

    def close(self) -> None:
        """Send nothing more."""
        self._requests.put(None)


@pytest.fixture
def talk(server: RunningServer) -> Iterator[Conversation]:
    conversation = Conversation(server.reading)
    yield conversation
    conversation.close()
    conversation.call.cancel()


def files_in(data: Path) -> list[Path]:
    """Return the documents that are on their way, and drafts of readings, but no folders of readers."""
    return [path for path in (data / "tmp").iterdir() if path.is_file() or (path / "document").exists()]


def test_bad_documents_do_not_end_the_stream(server: RunningServer) -> None:
    answers = stream(
        server,
        *document("good", tiny("one", "two")),
        *document("no format", b"something"),
        *document("empty", b""),
        start("without chunks"), end(),
        *document("a fault", tiny("one", "!fault", "three")),
        *document("a crash", tiny("!crash")),
        *document("too many languages", tiny("one"), options=pb.ReadOptions(languages=["x"] * 9)),
        *document("no such engine", tiny("one"), options=pb.ReadOptions(engine="x")),
        *document("no such page", tiny("one"), pages="2"),
        *document("no list of pages", tiny("one"), pages="2,x"),
        start("damaged on the way"), Part(chunk=tiny("one")), end("ab" * 32),
        start("no hash"), Part(chunk=tiny("one")), end("ab"),
        *document("good, too", tiny("three")),
    )  # fmt: skip
    assert answers.texts == {
        "good": {1: "one\n", 2: "two\n"},
        "a fault": {1: "one\n", 3: "three\n"},
        "good, too": {1: "three\n"},
    }
    assert {name: result.error.reason for name, result in answers.results.items()} == {
        "good": "",
        "no format": "DOCUMENT_UNREADABLE",
        "empty": "DOCUMENT_UNREADABLE",
        "without chunks": "DOCUMENT_UNREADABLE",
        "a fault": "",
        "a crash": "READER_FAILED",
        "too many languages": "INVALID_INPUT",
        "no such engine": "ENGINE_NOT_FOUND",
        "no such page": "PAGE_NOT_FOUND",
        "no list of pages": "INVALID_INPUT",
        "damaged on the way": "INVALID_INPUT",
        "no hash": "INVALID_INPUT",
        "good, too": "",
    }
    assert answers.errors["a fault"] == {2: "INTERNAL"} and answers.errors["a crash"] == {1: "READER_FAILED"}
    counts = {name: (result.pages_read, result.pages_failed) for name, result in answers.results.items()}
    assert (counts["good"], counts["a fault"], counts["a crash"]) == ((2, 0), (2, 1), (0, 1))
    assert answers.results["no list of pages"].error.field == "pages"


def test_an_empty_stream(server: RunningServer) -> None:
    assert not stream(server).results


def test_a_list_of_pages(server: RunningServer) -> None:
    pages = tiny(*(f"page {i}" for i in range(1, 11)))
    answers = stream(server, *document("a", pages, pages="9-, 1,3-4"), *document("b", pages, pages="10-999"))
    assert {name: sorted(texts) for name, texts in answers.texts.items()} == {"a": [1, 3, 4, 9, 10], "b": [10]}


BAD_STREAMS = {
    "a chunk outside of a document": ([Part(chunk=b"x")], "chunk"),
    "an end outside of a document": ([*document("a", b"x"), end()], "end"),
    "a start within a document": ([start("a"), start("b")], "start"),
    "no id": ([start("")], "start.document_id"),
    "too long an id": ([start("x" * 65)], "start.document_id"),
    "too large a chunk": ([start("a"), Part(chunk=b"x" * (2**20 + 1))], "chunk"),
    "an empty part": ([Part()], "part"),
    "a cancelled document that never began": ([cancel("a")], "cancel.document_id"),
}


@pytest.mark.parametrize("name", BAD_STREAMS)
def test_bad_streams(server: RunningServer, name: str) -> None:
    parts, field = BAD_STREAMS[name]
    refusal = expect_refusal(lambda: stream(server, *parts))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))


def test_an_id_is_used_once(server: RunningServer) -> None:
    refusal = expect_refusal(lambda: stream(server, *document("a", b"x"), *document("a", b"x")))
    assert (refusal.code, refusal.reason) == (StatusCode.ALREADY_EXISTS, "DOCUMENT_ID_REUSED")


def test_a_document_without_its_end(server: RunningServer) -> None:
    answers = stream(server, *document("a", tiny("one")), start("b"), Part(chunk=tiny("two")))
    assert answers.texts == {"a": {1: "one\n"}}
    assert (answers.reason("b"), answers.results["b"].error.field) == ("INVALID_INPUT", "end")


def test_a_page_does_not_wait_for_one_before_it(talk: Conversation) -> None:
    talk.send(*document("a", tiny("!hang", "two")), *document("b", tiny("three")))
    answers = [talk.receive() for _ in range(3)]
    assert {answer.page.page.text for answer in answers if answer.HasField("page")} == {"two\n", "three\n"}
    assert [answer.result.document_id for answer in answers if answer.HasField("result")] == ["b"]


def test_cancelling_a_document_that_is_being_read(talk: Conversation) -> None:
    talk.send(*document("a", tiny("!hang", "two", "!hang", "never")))
    assert talk.receive().page.page.text == "two\n"
    talk.send(*document("b", tiny("three")))
    talk.send(cancel("a"), cancel("a"))
    talk.close()
    answers = Answers(talk.call)
    assert answers.texts == {"b": {1: "three\n"}} and not answers.errors
    assert (answers.results["a"].error.code, answers.reason("a")) == (CANCELLED, "DOCUMENT_CANCELLED")
    assert (answers.results["a"].pages_read, answers.results["b"].pages_read) == (1, 1)


def test_cancelling_a_document_that_has_not_ended(server: RunningServer) -> None:
    answers = stream(
        server,
        start("a"), Part(chunk=tiny("one")), cancel("a"), Part(chunk=b"more"), cancel("a"), end(),
        start("b"), Part(chunk=tiny("one")), cancel("b"),
        *document("c", tiny("two")),
    )  # fmt: skip
    assert answers.texts == {"c": {1: "two\n"}}
    assert [answers.reason(name) for name in "abc"] == ["DOCUMENT_CANCELLED", "DOCUMENT_CANCELLED", ""]


def test_cancelling_a_document_that_is_done(talk: Conversation) -> None:
    talk.send(*document("a", tiny("one")))
    assert talk.receive().page.document_id == talk.receive().result.document_id == "a"
    talk.send(cancel("a"), *document("b", tiny("two")))
    talk.close()
    assert Answers(talk.call).texts == {"b": {1: "two\n"}}


def test_a_document_that_brings_down_one_reader_after_another_is_given_up(server: RunningServer) -> None:
    answers = stream(server, *document("a", tiny(*["!crash"] * 40)), *document("b", tiny("one")))
    result = answers.results["a"]
    assert result.error.reason == "READER_FAILED" and 3 <= result.pages_failed <= 3 + 2 and not result.pages_read
    assert answers.texts == {"b": {1: "one\n"}}


def test_a_closed_stream_ends_its_readers_and_leaves_nothing(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(readers=1)
    talk = Conversation(server.reading)
    options = pb.ReadOptions(keep=True)
    talk.send(*document("a", tiny("one", "!hang"), options=options), start("b"), Part(chunk=b"x"))
    assert talk.receive().page.page.text == "one\n"
    wait_until(lambda: len(files_in(tmp_path / "data")) == 2)
    talk.call.cancel()
    wait_until(lambda: not files_in(tmp_path / "data"))
    assert Answers(server.reading.ReadStream(iter(document("c", tiny("next"))))).texts == {"c": {1: "next\n"}}
    assert not server.reading.ListReadings(pb.ListReadingsRequest()).readings
    talk.close()


def test_who_does_not_read_is_waited_for_in_bounded_memory_and_then_cut_off(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(idle_s=1.5)
    with unhurried(server.app.address) as channel:
        talk = Conversation(reading_service_pb2_grpc.ReadingServiceStub(channel))
        pages = tiny(*["x" * 100_000] * 200)
        talk.send(*(part for i in range(3) for part in [start(f"{i}"), *chunks(pages), end()]))
        assert talk.receive().page.document_id in ("0", "1")
        wait_until(lambda: not files_in(tmp_path / "data"))
        received: list[pb.ReadStreamResponse] = []
        with pytest.raises(grpc.RpcError) as caught:
            for answer in talk.call:
                received.append(answer)
        assert caught.value.code() in (StatusCode.UNAVAILABLE, StatusCode.CANCELLED)
        assert len(received) < 30  # of 600 pages
        talk.close()
    assert Answers(server.reading.ReadStream(iter(document("c", tiny("next"))))).texts == {"c": {1: "next\n"}}


def chunks(data: bytes) -> list[Part]:
    return [Part(chunk=data[i : i + 2**20]) for i in range(0, len(data), 2**20)]


def test_who_does_not_send_is_cut_off_but_not_while_the_server_works(start_server: StartServer) -> None:
    server = start_server(idle_s=1.0)
    talk = Conversation(server.reading)
    talk.send(*document("a", tiny("!sleep 3\none")))
    assert talk.receive().page.page.text == "one\n" and talk.receive().result.document_id == "a"
    with pytest.raises(grpc.RpcError) as caught:
        talk.receive()
    refusal = parse(caught.value)
    assert (refusal.code, refusal.reason) == (StatusCode.UNAVAILABLE, "CALLER_IDLE")
    talk.close()


def test_the_server_takes_only_so_many_documents_at_a_time(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(readers=1)
    talk = Conversation(server.reading)
    talk.send(*document("a", tiny("!hang")))
    talk.send(*(part for i in range(20) for part in document(f"{i}", tiny("one"))))
    wait_until(lambda: len(files_in(tmp_path / "data")) == 8)
    released = threading.Event()
    assert not released.wait(0.3) and len(files_in(tmp_path / "data")) == 8
    talk.call.cancel()
    talk.close()


def test_a_stopping_server_ends_a_stream_and_says_so(start_server: StartServer) -> None:
    server = start_server()
    with grpc.insecure_channel(server.address) as channel:
        talk = Conversation(reading_service_pb2_grpc.ReadingServiceStub(channel))
        talk.send(*document("a", tiny("one", "!hang")))
        assert talk.receive().page.page.text == "one\n"
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        with pytest.raises(grpc.RpcError) as caught:
            list(talk.call)
        assert caught.value.code() is StatusCode.UNAVAILABLE
        stopping.join()
        talk.close()


def test_kept_readings(server: RunningServer) -> None:
    options = pb.ReadOptions(keep=True)
    answers = stream(
        server,
        *document("a", tiny("one", "!fault", "three"), file_name="../a.pdf", options=options),
        *document("b", tiny("!fault"), options=options),
        *document("c", tiny("three"), options=options),
        start("d", options=options), Part(chunk=tiny("x")), cancel("d"), end(),
    )  # fmt: skip
    kept = answers.results["a"].reading
    assert (kept.file_name, list(kept.pages), kept.pages_total, kept.excerpt) == ("a.pdf", [1, 3], 3, "one\nthree")
    request = pb.GetReadingRequest(reading_id=kept.reading_id, page=3)
    assert server.reading.GetReading(request).page.text == "three\n"
    request = pb.GetReadingRequest(reading_id=kept.reading_id, page=2)
    assert expect_refusal(lambda: server.reading.GetReading(request)).reason == "PAGE_NOT_FOUND"
    assert [answers.results[name].HasField("reading") for name in "abcd"] == [True, False, True, False]


def test_pages_are_read_even_if_there_is_no_room_to_keep_them(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(reading_quota=3_000)
    pages = tiny(*["x " * 50] * 5)
    answers = stream(server, *document("a", pages, options=pb.ReadOptions(keep=True)), *document("b", tiny("y")))
    result = answers.results["a"]
    assert (result.pages_read, result.error.reason, result.HasField("reading")) == (5, "QUOTA_EXCEEDED", False)
    assert answers.texts["b"] == {1: "y\n"} and not files_in(tmp_path / "data")
    answers = stream(server, *document("c", tiny("x" * 5_000)), *document("d", tiny("y")))
    assert answers.reason("c") == "QUOTA_EXCEEDED" and answers.texts == {"d": {1: "y\n"}}
