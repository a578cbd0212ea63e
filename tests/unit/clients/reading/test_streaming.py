"""Many documents in one stream: memory, order, files that cannot be read, and the end of the stream."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import reading_service_pb2 as pb
from haleganada_client import DocumentPage, DocumentReading, FailedPrecondition, HaleganadaError, InvalidInput
from haleganada_client.limits import MAX_DOCUMENT_BYTES

from tests.support.waiting import wait_until
from tests.unit.clients.reading.scripted_reading import echo, failed, failed_page, page, scripted_reader


@pytest.mark.usefixtures("kind")
def test_documents_come_back_with_their_places_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"from a path")
    with scripted_reader(echo) as client:
        found = {done.index: done for done in client.read_many([path, b"bytes", io.BytesIO(b"an open file")])}
    assert [found[i].text for i in range(3)] == ["from a path", "bytes", "an open file"]
    assert [found[i].name for i in range(3)] == [str(path), "", ""]


@pytest.mark.usefixtures("kind")
def test_the_file_name_goes_without_its_folders(tmp_path: Path) -> None:
    (tmp_path / "ಅ.png").write_bytes(b"x")
    names: list[str] = []

    def note(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        for request in requests:
            if request.WhichOneof("part") == "start":
                names.append(request.start.file_name)
                yield failed(request.start.document_id, "enough")

    with scripted_reader(note) as client:
        list(client.read_many([tmp_path / "ಅ.png", b"bytes"]))
    assert names == ["ಅ.png", ""]


@pytest.mark.usefixtures("kind")
def test_one_bad_file_is_a_result_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    documents: list[bytes | Path] = [b"first", tmp_path / "missing.png", tmp_path / "folder.png", b"last"]
    with scripted_reader(echo) as client:
        found = {done.index: done for done in client.read_many(documents)}
    assert found[0].text == "first" and found[3].text == "last"
    for index in (1, 2):
        error = found[index].error
        assert error is not None and "cannot be read" in error.message and found[index].pages == ()
    assert found[1].name == str(tmp_path / "missing.png")


@pytest.mark.usefixtures("kind")
def test_a_file_that_breaks_off_is_cancelled_and_reported_once() -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(min(3, size or 3))

    with scripted_reader(echo) as client:
        found = sorted(client.read_many([Breaking(b"abcdef"), b"next"]), key=lambda done: done.index)
    assert [done.index for done in found] == [0, 1]
    assert found[0].error is not None and "Input/output error" in found[0].error.message
    assert found[1].text == "next"


@pytest.mark.usefixtures("kind")
def test_pages_are_put_in_order_and_bad_ones_are_told() -> None:
    def answers(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        for request in requests:
            if request.WhichOneof("part") == "end":
                yield page("0", 3, "third", total=3)
                yield failed_page("0", 2, "too dark", total=3)
                yield page("0", 1, "first", total=3)
                yield pb.ReadStreamResponse(result=pb.DocumentResult(document_id="0", pages_read=2, pages_failed=1))

    seen: list[DocumentPage] = []
    with scripted_reader(answers) as client:
        [kept] = client.read_many([b"x"])
        [handed] = client.read_many([b"x"], on_page=seen.append)
    assert kept.text == "first\fthird" and (kept.pages_read, kept.pages_failed) == (2, 1)
    assert [(failed.page, failed.error.message) for failed in kept.page_errors] == [(2, "too dark")]
    assert handed.pages == () and handed.page_errors == kept.page_errors
    assert [(done.number, done.page and done.page.text, done.pages_total) for done in seen] == [
        (3, "third", 3),
        (2, None, 3),
        (1, "first", 3),
    ]


@pytest.mark.usefixtures("kind")
def test_documents_are_opened_when_the_server_has_room_for_them() -> None:
    """The server reads one document and then nothing more, so all but a few of a million must stay unopened."""
    opened: list[int] = []
    go_on = threading.Event()

    def documents() -> Iterator[bytes]:
        for index in range(1_000_000):
            opened.append(index)
            yield b"x" * 200_000

    def slow(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        next(requests)
        yield failed("0", "enough")
        go_on.wait(60)

    with scripted_reader(slow) as client:
        stream = client.read_many(documents())
        assert next(stream).index == 0
        seen: list[int] = []

        def is_at_rest() -> bool:  # gRPC's own buffers are full
            seen.append(len(opened))
            return len(seen) > 20 and seen[-20] == seen[-1]

        wait_until(is_at_rest)
        go_on.set()
        stream.close()
    assert len(opened) < 100


@pytest.mark.usefixtures("kind")
def test_dropping_the_iterator_ends_the_call() -> None:
    ended = threading.Event()

    def endless(
        requests: Iterator[pb.ReadStreamRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ReadStreamResponse]:
        context.add_callback(ended.set)
        for number in range(1, 1_000_000):
            yield page("0", number, "again", total=0)
            if number == 1:
                yield failed("0", "no more")

    with scripted_reader(endless) as client:
        for _ in client.read_many([b"x", b"y"]):
            break
        wait_until(ended.is_set)


@pytest.mark.usefixtures("kind")
def test_an_error_of_the_callers_own_iterable_is_raised_after_what_was_sent() -> None:
    def documents() -> Iterator[bytes]:
        yield b"sent"
        raise RuntimeError("the scanner is jammed")

    found: list[DocumentReading] = []
    with scripted_reader(echo) as client, pytest.raises(RuntimeError, match="jammed"):
        found.extend(client.read_many(documents()))
    assert [done.text for done in found] == ["sent"]


@pytest.mark.usefixtures("kind")
def test_wrong_words_are_refused_before_anything_is_sent() -> None:
    with scripted_reader() as client:
        for choices in ({"mode": "quick"}, {"skipped_steps": ["wash"]}, {"text_layer": "both"}, {"languages": "kn"}):
            with pytest.raises(InvalidInput, match=r"choose one of|must be a list"):
                client.read_many([b"x"], **choices)


@pytest.mark.usefixtures("kind")
def test_a_large_document_is_read_as_a_stream() -> None:
    sent: list[int] = []

    def count(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        for request in requests:
            sent.append(len(request.chunk))
            if request.WhichOneof("part") == "start":
                assert request.start.pages == "4"
            elif request.WhichOneof("part") == "end":
                yield page("0", 4, "the fourth")
                yield pb.ReadStreamResponse(result=pb.DocumentResult(document_id="0", pages_read=1))

    with scripted_reader(count) as client:
        assert client.read(bytes(MAX_DOCUMENT_BYTES + 1), 4).text == "the fourth"
    assert sum(sent) == MAX_DOCUMENT_BYTES + 1 and max(sent) <= 2**20


@pytest.mark.usefixtures("kind")
def test_what_is_wrong_with_a_large_document_is_raised() -> None:
    def refuse(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        next(requests)  # an answer before the document is nobody's
        yield failed("0", "needs a password", code=9, reason="DOCUMENT_ENCRYPTED")

    with scripted_reader(refuse) as client, pytest.raises(FailedPrecondition, match="needs a password") as refusal:
        client.read(io.BytesIO(b"x"))
    assert isinstance(refusal.value, HaleganadaError) and refusal.value.reason == "DOCUMENT_ENCRYPTED"
