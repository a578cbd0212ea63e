"""Export and Import as streams of chunks, by way of a file: bounded memory, a checksum at the end, few at a time."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haleganada.v1 import ocr_service_pb2 as pb

from haleganada_server.core.errors import Exhausted, InvalidInput
from haleganada_server.core.ports import WorkspaceDirectory
from haleganada_server.core.types import TransferFormat
from haleganada_server.core.workspace import Workspace
from haleganada_server.core.workspaces import Workspaces

from . import convert

CHUNK = 64 * 1024
MAX_IMPORT = 2**30
MAX_CHUNK = 2**20


class Transfers:
    """Runs at most `limit` streams at once, so that they cannot take all threads from Train and Predict."""

    def __init__(self, workspaces: Workspaces, directory: WorkspaceDirectory, limit: int) -> None:
        self._workspaces, self._directory = workspaces, directory
        self._free = threading.BoundedSemaphore(limit)

    def export(self, workspace: Workspace, form: int) -> Iterator[pb.ExportResponse]:
        """Header, chunks of 64 KiB, trailer."""
        wanted = convert.transfer_format(form) or TransferFormat.ARCHIVE
        with self._one():
            export = workspace.export(wanted)
            try:
                header = (export.format, export.file_name, export.content_type, export.revision, export.samples_total)
                yield pb.ExportResponse(header=convert.export_header(*header))
                yield from _chunks(export.path)
            finally:
                export.close()

    def receive(self, requests: Iterator[pb.ImportRequest], client: str) -> pb.ImportResponse:
        """Teach what the stream holds, once all of it has arrived whole."""
        first = next(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidInput("header", "must come first")
        header = first.header
        workspace, form = self._workspaces.get(header.workspace), convert.transfer_format(header.format)
        path = self._directory.temporary_file()
        with self._one():
            try:
                _spool(requests, path)
                expected = convert.optional(header, "expected_revision")
                return convert.imported(workspace.import_file(path, form, expected, client))
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def _one(self) -> Iterator[None]:
        if not self._free.acquire(blocking=False):
            raise Exhausted(
                "too many exports and imports at once; repeat the call in a moment", "TOO_MANY_TRANSFERS", 2.0
            )
        try:
            yield
        finally:
            self._free.release()


def _chunks(path: Path) -> Iterator[pb.ExportResponse]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            yield pb.ExportResponse(chunk=chunk)
    yield pb.ExportResponse(trailer=pb.TransferTrailer(sha256=digest.hexdigest(), bytes=size))


def _spool(requests: Iterator[pb.ImportRequest], path: Path) -> None:
    """Write the chunks to a file. Raises InvalidInput if they are too many or not what the trailer says."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for request in requests:
            part = request.WhichOneof("part")
            if part == "trailer":
                _check(request.trailer, digest.hexdigest(), size)
            elif part == "chunk":
                digest.update(request.chunk)
                size += len(request.chunk)
                _limit(len(request.chunk), size)
                file.write(request.chunk)
            else:
                raise InvalidInput("header", "must come only once")


def _limit(chunk: int, size: int) -> None:
    if chunk > MAX_CHUNK:
        raise InvalidInput("chunk", f"has {chunk} bytes; send at most {MAX_CHUNK} at once")
    if size > MAX_IMPORT:
        raise InvalidInput("chunk", f"the file has over {MAX_IMPORT} bytes; split it")


def _check(trailer: pb.TransferTrailer, digest: str, size: int) -> None:
    if (trailer.bytes and trailer.bytes != size) or (trailer.sha256 and trailer.sha256.lower() != digest):
        raise InvalidInput("trailer", "the file arrived changed or cut off; send it again")
