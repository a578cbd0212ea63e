"""`haleganada read` and `segment` against a server whose answers a test scripts: order, failures, files, exit codes."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import reading_service_pb2 as pb

from tests.e2e.cli.command_line import haleganada
from tests.unit.clients.reading.scripted_reading import Stream, failed, failed_page, page, serve_reader


def answer_by_content(
    requests: Iterator[pb.ReadStreamRequest], context: grpc.ServicerContext
) -> Iterator[pb.ReadStreamResponse]:
    """A document is lines of "page text", "!page problem" for a page and "!problem" for a document; "later" is answered
    after all others.
    """
    del context
    late: list[pb.ReadStreamResponse] = []
    for request in requests:
        kind = request.WhichOneof("part")
        if kind == "start":
            start, content = request.start, ""
        elif kind == "chunk":
            content += request.chunk.decode()
        elif kind == "end":
            answers = list(_answer(start, content))
            if "later" in content:
                late += answers
            else:
                yield from answers
    yield from late


def _answer(start: pb.DocumentStart, content: str) -> Iterator[pb.ReadStreamResponse]:
    lines = content.splitlines()
    read = 0
    for line in lines:
        number, _, text = line.removeprefix("!").partition(" ")
        if not number.isdigit():
            reason = number if number.isupper() else ""
            yield failed(start.document_id, text, reason=reason)
            return
        if line.startswith("!"):
            yield failed_page(start.document_id, int(number), text, len(lines))
        else:
            read += 1
            yield page(start.document_id, int(number), text + "\n", len(lines))
    result = pb.DocumentResult(document_id=start.document_id, pages_read=read, pages_failed=len(lines) - read)
    if start.options.keep:
        result.reading.reading_id = f"reading-of-{start.file_name}"
        result.reading.expire_time.FromSeconds(2_000_000_000)
    yield pb.ReadStreamResponse(result=result)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """a.png has two pages and is answered last; b.png has one; bad.png cannot be read; half.png lost a page."""
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.png").write_text("2 later\n1 first")
    (folder / "b.png").write_text("1 second")
    (folder / "bad.png").write_text("!DOCUMENT_UNREADABLE is no image")
    (folder / "half.png").write_text("1 half\n!2 is too dark")
    return folder


def read(address: str, *arguments: str | Path, stdin: bytes | None = None) -> tuple[int, str, str]:
    done = haleganada("--server", address, "read", *arguments, stdin=stdin)
    return done.returncode, done.stdout, done.stderr


def test_texts_are_printed_in_the_order_of_the_files(scans: Path) -> None:
    with serve_reader(answer_by_content) as server:
        code, out, err = read(server.address, scans / "a.png", scans / "b.png")
    assert (code, out, err) == (0, "first\n\flater\n\fsecond\n", "")


def test_one_bad_file_ends_nothing(scans: Path) -> None:
    with serve_reader(answer_by_content) as server:
        code, out, err = read(server.address, scans / "bad.png", scans / "none.png", scans)
    assert code == 1 and out == "first\n\flater\n\fsecond\n\fhalf\n"
    assert sorted(err.splitlines()) == [
        f"haleganada: {scans / 'bad.png'}: is no image",
        f"haleganada: {scans / 'half.png'}, page 2: is too dark",
        f"haleganada: {scans / 'none.png'}: cannot be read: No such file or directory",
    ]


def test_the_exit_code_is_the_errors_own_if_all_failed_alike(scans: Path) -> None:
    (scans / "worse.png").write_text("!DOCUMENT_UNREADABLE is broken")
    with serve_reader(answer_by_content) as server:
        assert read(server.address, scans / "bad.png", scans / "worse.png")[0] == 5
        assert read(server.address, scans / "bad.png", scans / "none.png")[0] == 1
        assert read(server.address, scans / "half.png")[0] == 1


def test_what_the_server_lacks_is_said_once(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.png").write_text("!ENGINE_NOT_INSTALLED install tesseract-ocr")
    with serve_reader(answer_by_content) as server:
        code, _, err = read(server.address, tmp_path)
    assert code == 5 and err.count("install tesseract-ocr") == 1
    assert err.endswith("haleganada: the same for 4 other documents\n")


def test_a_file_for_each_document(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "text"
    with serve_reader(answer_by_content) as server:
        code, printed, _ = read(server.address, scans, "--out", out)
    assert code == 1 and printed == f"wrote 4 pages of 3 documents to {out}\n"
    texts = {path.name: path.read_text() for path in out.iterdir()}
    assert texts == {"a.txt": "first\n\flater\n", "b.txt": "second\n", "half.txt": "half\n"}


def test_files_are_replaced_only_with_overwrite(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    with serve_reader(answer_by_content) as server:
        code, out, err = read(server.address, scans / "a.png", scans / "b.png", "--out", tmp_path)
        assert code == 1 and "1 document" in out and (tmp_path / "a.txt").read_text() == "mine"
        assert err == f"haleganada: {tmp_path / 'a.txt'} exists already; --overwrite reads again\n"
        code, out, err = read(server.address, scans / "b.png", scans / "a.png", "-o", tmp_path)
        assert (code, out) == (1, "") and "and 1 other file exist already" in err
        assert read(server.address, scans / "a.png", "--out", tmp_path, "--overwrite")[0] == 0
    assert (tmp_path / "a.txt").read_text() == "first\n\flater\n"


def test_formats_of_the_server_are_exported_and_leave_no_reading(scans: Path, tmp_path: Path) -> None:
    with serve_reader(answer_by_content, exported=b"<html>") as server:
        code, _, err = read(server.address, scans / "a.png", "--format", "hocr", "--out", tmp_path)
        assert (code, err) == (0, "") and (tmp_path / "a.hocr").read_bytes() == b"<html>"
        assert read(server.address, scans / "b.png", "--format", "tsv")[1] == "<html>"
        assert server.deleted == ["reading-of-a.png", "reading-of-b.png"]
        _, _, err = read(server.address, scans / "b.png", "--format", "alto", "-o", tmp_path, "--keep")
        assert "is kept as reading-of-b.png until" in err and len(server.deleted) == 2


def test_json_has_everything_and_tells_what_failed(scans: Path, tmp_path: Path) -> None:
    with serve_reader(answer_by_content) as server:
        code, out, _ = read(server.address, scans, "--json")
        _, written, _ = read(server.address, scans / "b.png", "--json", "--out", tmp_path)
    first, second, bad, half = json.loads(out)
    assert code == 1 and [found["text"] for found in first["pages"]] == ["first\n", "later\n"]
    assert second["file"] == str(scans / "b.png") and second["error"] is None and second["output"] is None
    assert bad["error"]["reason"] == "DOCUMENT_UNREADABLE" and bad["pages"] == []
    assert [failed["page"] for failed in half["page_errors"]] == [2]
    assert json.loads(written)[0]["output"] == str(tmp_path / "b.txt")


def test_standard_input_is_a_document(tmp_path: Path) -> None:
    with serve_reader(answer_by_content) as server:
        assert read(server.address, "-", stdin=b"1 piped") == (0, "piped\n", "")
        assert read(server.address, "-", "--out", tmp_path, stdin=b"1 piped")[0] == 0
    assert (tmp_path / "stdin.txt").read_text() == "piped\n"


def test_options_reach_the_server(scans: Path) -> None:
    starts: list[pb.DocumentStart] = []

    def note(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        for request in requests:
            if request.WhichOneof("part") == "start":
                starts.append(request.start)
                yield failed("0", "enough")

    options = "--mode handwritten --engine tesseract -l kan+eng --lang fr --skip turn --skip ruled-lines --pages 3-7"
    with serve_reader(note) as server:
        haleganada("--server", server.address, "-w", "mine", "read", scans / "a.png", *options.split())
        read(server.address, scans / "a.png", "--text-layer", "replace")
        (scans / "words.txt").write_text("\ufeffಅಕ್ಕ anna\n anna 1" + "x" * 64, encoding="utf-8")
        read(server.address, scans / "a.png", "--lexicon", scans / "words.txt", "--alternatives", "3")
        (scans / "words.txt").write_bytes(b"\xff")
        assert "save it as UTF-8" in read(server.address, scans / "a.png", "--lexicon", scans / "words.txt")[2]
    options_sent = starts[0].options
    assert (starts[0].pages, starts[0].file_name, options_sent.engine) == ("3-7", "a.png", "tesseract")
    assert options_sent.mode == pb.READ_MODE_HANDWRITTEN and list(options_sent.languages) == ["kan", "eng", "fr"]
    assert list(options_sent.skipped_steps) == [pb.PREPARATION_STEP_TURN, pb.PREPARATION_STEP_RULED_LINES]
    assert options_sent.workspace == "mine" and not options_sent.keep and not options_sent.debug
    assert starts[1].options.text_layer == pb.TEXT_LAYER_REPLACE
    assert (list(starts[2].options.lexicon), starts[2].options.alternatives) == (["ಅಕ್ಕ", "anna"], 3)


def test_pictures_of_the_preparation_are_kept(scans: Path, tmp_path: Path) -> None:
    def draw(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        for request in requests:
            if request.WhichOneof("part") == "end":
                answer = page("0", 3, "text")
                for step in ("polarity", "../skew"):
                    answer.page.page.step_pictures.add(step=step, image=step.encode())
                yield answer
                yield pb.ReadStreamResponse(result=pb.DocumentResult(document_id="0", pages_read=1))

    with serve_reader(draw) as server:
        assert read(server.address, scans / "a.png", "--debug", tmp_path / "steps")[0] == 0
    folder = tmp_path / "steps" / "a-page-3"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "1-polarity.png": b"polarity",
        "2----skew.png": b"../skew",
    }


def test_a_terminal_shows_progress_with_the_time_left_and_the_text_stays_clean(scans: Path) -> None:
    def slow(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        for request in requests:
            if request.WhichOneof("part") == "end":
                for number in range(1, 4):
                    time.sleep(0.6)  # a bar needs a second to know the time left
                    yield page("0", number, f"page {number}\n", 3)
                yield pb.ReadStreamResponse(result=pb.DocumentResult(document_id="0", pages_read=3))

    ours, terminal = pty.openpty()
    with serve_reader(slow) as server:
        line = [sys.executable, "-m", "haleganada_client.cli", "--server", server.address, "read", str(scans / "a.png")]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=terminal, timeout=60, check=True)
    os.close(terminal)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.stdout == b"page 1\n\fpage 2\n\fpage 3\n"
    assert "1/3" in shown and "3/3" in shown and re.search(r"2/3  00:00:0\d", shown)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "name the documents"),
        (["a.png", "b.png", "--format", "hocr"], "with --out DIR"),
        (["a.png", "--format", "hocr", "--json"], "add --out DIR"),
        (["a.png", "--out", "a.txt"], "type > a.txt instead"),
        (["a.png", "--pages", "7-3"], "write 3-7"),
        (["a.png", "--skip", "wash"], "wash"),
    ],
)
def test_wrong_usage_is_told_in_one_line(scans: Path, arguments: list[str], problem: str) -> None:
    code, out, err = read("127.0.0.1:1", *arguments)
    assert code == 2 and not out and problem in err and err.count("\n") == 1


def test_what_was_read_until_the_server_went_away_is_not_lost(scans: Path) -> None:
    def leave(
        requests: Iterator[pb.ReadStreamRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ReadStreamResponse]:
        for request in requests:
            if request.WhichOneof("part") == "end":
                yield page("0", 1, "first\n", 1)
                yield pb.ReadStreamResponse(result=pb.DocumentResult(document_id="0", pages_read=1))
                context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    with serve_reader(leave) as server:
        code, out, err = read(server.address, scans / "a.png", scans / "b.png")
        assert code == 3 and out == "first\n" and "(1 of 2 documents are done)" in err
        assert len(json.loads(read(server.address, scans / "a.png", scans / "b.png", "--json")[1])) == 1


def test_no_server_is_told_once(scans: Path) -> None:
    code, out, err = read("127.0.0.1:1", scans)
    assert code == 3 and not out and err.count("\n") == 1


@pytest.fixture
def crops() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("lines/1.png", "picture")
    return file.getvalue()


def segment(stream: Stream, crops: bytes, *arguments: str | Path) -> tuple[int, str, str, list[str]]:
    with serve_reader(stream, exported=crops) as server:
        done = haleganada("--server", server.address, "segment", *arguments)
        return done.returncode, done.stdout, done.stderr, server.deleted


def test_segment_unpacks_the_crops_into_a_new_folder(scans: Path, tmp_path: Path, crops: bytes) -> None:
    out = tmp_path / "deep" / "crops"
    code, printed, err, deleted = segment(answer_by_content, crops, scans / "b.png", "--out", out)
    assert (code, err, deleted) == (0, "", ["reading-of-b.png"])
    assert "wrote 1 page to" in printed and str(out) in printed
    assert (out / "lines" / "1.png").read_text() == "picture" and (out / "manifest.json").exists()


def test_segment_reads_unless_it_is_told_not_to(scans: Path, tmp_path: Path, crops: bytes) -> None:
    asked: list[tuple[bool, bool]] = []

    def note(requests: Iterator[pb.ReadStreamRequest], _: grpc.ServicerContext) -> Iterator[pb.ReadStreamResponse]:
        for request in requests:
            if request.WhichOneof("part") == "start":
                asked.append((request.start.options.segment_only, request.start.options.keep))
                yield failed("0", "enough")

    for options in ([], ["--no-text"]):
        segment(note, crops, scans / "b.png", "--out", tmp_path / "new", *options)
    assert asked == [(False, True), (True, True)]


def test_segment_replaces_nothing_and_leaves_no_half_folder(scans: Path, tmp_path: Path, crops: bytes) -> None:
    assert segment(answer_by_content, crops, scans / "b.png", "--out", scans)[0] == 2
    code, _, err, _ = segment(answer_by_content, b"no zip", scans / "b.png", "--out", tmp_path / "new")
    assert code == 1 and "cannot be unpacked" in err
    assert segment(answer_by_content, crops, scans / "bad.png", "--out", tmp_path / "new")[0] == 5
    assert [path.name for path in tmp_path.iterdir()] == ["scans"]
