"""Exports and imports of files: whole and unchanged, or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

import pytest
from haleganada.v1 import common_pb2
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada_client.calls.dual import run
from haleganada_client.errors import HaleganadaError
from haleganada_client.types import ExportResult
from haleganada_client.wire import transfers
from haleganada_client.wire.transfers import Progress, Target, import_requests

CONTENT = bytes(range(256)) * 1000


def parts(content: bytes, sha256: str = "", size: int | None = None, end: bool = True) -> Iterator[ocr.ExportResponse]:
    yield ocr.ExportResponse(header=ocr.ExportHeader(file_name="a.zip", samples_total=3))
    for start in range(0, len(content), 65536):
        yield ocr.ExportResponse(chunk=content[start : start + 65536])
    if end:
        sha256 = sha256 or hashlib.sha256(content).hexdigest()
        size = len(content) if size is None else size
        yield ocr.ExportResponse(trailer=common_pb2.TransferTrailer(sha256=sha256, size_bytes=size))


def write_export(parts: Iterator[ocr.ExportResponse], target: Target, progress: Progress | None = None) -> ExportResult:
    """Write an export as a client whose methods block does."""

    async def stream() -> AsyncGenerator[ocr.ExportResponse, None]:
        for part in parts:
            yield part

    async def call(function: Callable[..., object], *arguments: object) -> object:
        return function(*arguments)

    return run(transfers.write_export(stream(), target, progress, call))


def test_an_export_appears_when_it_is_complete(tmp_path: Path) -> None:
    seen: list[int] = []
    done = write_export(parts(CONTENT), tmp_path / "out.zip", seen.append)
    assert (tmp_path / "out.zip").read_bytes() == CONTENT
    assert (done.samples_total, done.size_bytes, done.sha256) == (3, 256_000, hashlib.sha256(CONTENT).hexdigest())
    assert seen[-1] == len(CONTENT) and seen == sorted(seen)


def test_an_export_can_go_to_an_open_file() -> None:
    file = io.BytesIO()
    write_export(parts(CONTENT), file)
    assert file.getvalue() == CONTENT


@pytest.mark.parametrize(
    "damaged",
    [parts(CONTENT, sha256="0" * 64), parts(CONTENT, size=1), parts(CONTENT, end=False), iter(())],
    ids=["changed", "wrong size", "cut off", "empty"],
)
def test_a_damaged_export_leaves_what_was_there(tmp_path: Path, damaged: Iterator[ocr.ExportResponse]) -> None:
    (tmp_path / "out.zip").write_bytes(b"yesterday's")
    with pytest.raises(HaleganadaError, match="export it again"):
        write_export(damaged, tmp_path / "out.zip")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.zip", b"yesterday's")]


def test_a_target_that_cannot_be_is_called_as_people_called_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "none/out.zip", tmp_path / "file/out.zip", tmp_path / "folder"):
        with pytest.raises(OSError) as refusal:
            write_export(parts(CONTENT), target)
        assert refusal.value.filename == str(target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_an_import_is_the_file_and_its_checksum() -> None:
    header = ocr.ImportHeader(workspace="w", format=ocr.EXPORT_FORMAT_JSONL)
    seen: list[int] = []
    first, *chunks, last = import_requests(ocr.ImportRequest, header, io.BytesIO(CONTENT), seen.append)
    assert first.header == header
    assert b"".join(request.chunk for request in chunks) == CONTENT
    assert max(len(request.chunk) for request in chunks) <= 2**20
    assert (last.trailer.sha256, last.trailer.size_bytes) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    assert seen[-1] == len(CONTENT)
