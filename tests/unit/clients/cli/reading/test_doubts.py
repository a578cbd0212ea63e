"""What `haleganada read` says of documents of which little was read, and `engines` of what to install."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import reading_service_pb2 as pb

from tests.conftest import RunningServer
from tests.e2e.cli.command_line import haleganada
from tests.unit.clients.reading.scripted_reading import serve_reader

HINT = "haleganada: Tesseract may read more; on the server: apt install tesseract-ocr"


def answer_confidences(
    requests: Iterator[pb.ReadStreamRequest], context: grpc.ServicerContext
) -> Iterator[pb.ReadStreamResponse]:
    """A document is the confidences of its lines; "?" is a line of which none is known."""
    del context
    for request in requests:
        if request.HasField("start"):
            document_id = request.start.document_id
        elif request.HasField("chunk"):
            page = pb.PageReading(page=1)
            for part in request.chunk.decode().split():
                line = page.blocks.add().lines.add(text="line")
                if part != "?":
                    line.confidence = float(part)
            page.text = "line\n" * len(page.blocks)
            yield pb.ReadStreamResponse(page=pb.DocumentPage(document_id=document_id, page=page, pages_total=1))
            yield pb.ReadStreamResponse(result=pb.DocumentResult(document_id=document_id, pages_read=1))


@pytest.mark.parametrize(
    ("confidences", "notes"),
    [
        ("0.9 0.8 0.3", []),
        ("? ?", []),
        (" ", ["no text was found", HINT]),
        ("0.9 0.6 0.4", ["most of the text is uncertain", HINT]),
    ],
)
def test_documents_of_which_little_was_read_are_named(tmp_path: Path, confidences: str, notes: list[str]) -> None:
    scan = tmp_path / "scan.png"
    scan.write_text(confidences)
    with serve_reader(answer_confidences) as server:
        done = haleganada("--server", server.address, "read", scan)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [f"haleganada: {scan}: {notes[0]}", *notes[1:]] if notes else not done.stderr


def test_many_such_documents_are_told_in_one_line(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.png").write_text("0.5")
    with serve_reader(answer_confidences) as server:
        done = haleganada("--server", server.address, "read", tmp_path)
    first = f"haleganada: {tmp_path / 'a.png'} and 2 other documents: most of the text is uncertain"
    assert done.stderr.splitlines() == [first, HINT]


def test_only_what_is_missing_is_said_to_be_installed(server: RunningServer) -> None:
    """The engine “tiny” is installed, “missing” is not."""
    told = haleganada("--server", server.address, "engines").stdout
    assert told.splitlines()[-2:] == [
        "to be installed on the server:",
        "missing: pip install missing, then start the server again",
    ]


def test_hints_of_installed_engines_are_for_more_languages() -> None:
    with serve_reader(installed=True) as server:
        short, full = (haleganada("--server", server.address, "engines", *more).stdout for more in ([], ["--all"]))
    assert "apt install" not in short
    assert full.splitlines()[-2:] == ["more languages, on the server:", "tesseract: apt install tesseract-ocr"]
