"""Export and Import: whole files as streams of chunks, checked by their SHA-256.

Files go through the disk, never through memory, so that neither a slow client nor a large workspace costs more than
one chunk. What was begun is removed when the stream ends, however it ends.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import grpc
from haleganada.v1 import common_pb2, reading_service_pb2
from haleganada.v1 import ocr_service_pb2 as pb

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, InvalidInput
from haleganada_server.core.limits import MAX_RECEIVED_CHUNK_BYTES, SENT_CHUNK_BYTES
from haleganada_server.core.workspaces.ports import ExportFile
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.core.workspaces.workspaces import Workspaces

from . import validate
from .caller import caller, cancellation
from .calls.places import Places
from .convert import common
from .convert import ocr as convert

Response = TypeVar("Response")
ChunkRequest = pb.ImportRequest | reading_service_pb2.ImportReadingRequest
"""What has a header, chunks and a trailer."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Transfers:
    """Exports and imports, a few at a time."""

    def __init__(
        self,
        slots: Places,
        temporary_file: Callable[[], Path],
        max_import_bytes: int,
        require_time: Callable[[], None],
    ) -> None:
        """temporary_file: returns a fresh path on the disk of the data directory. require_time: see Cancellation."""
        self._slots = slots
        self._temporary_file = temporary_file
        self._max_import_bytes = max_import_bytes
        self._require_time = require_time

    def export(
        self, workspaces: Workspaces, request: pb.ExportRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExportResponse]:
        """Yield header, chunks and trailer of an export. Raises InvalidInput, NotFound, DataLoss, Exhausted."""
        form = convert.export_format(request.format) or TransferFormat.ARCHIVE
        with self._slots.one(context), closing(_write_export(workspaces, request, form)) as exported:
            yield pb.ExportResponse(header=convert.export_header(exported))
            yield from file_parts(pb.ExportResponse, exported.path)

    def import_from(
        self, workspaces: Workspaces, requests: Iterator[pb.ImportRequest], context: grpc.ServicerContext
    ) -> pb.ImportResponse:
        """Write the file to disk, check it, teach it. Raises InvalidInput, NotFound, RevisionMismatch, Exhausted,
        Cancelled, DeadlineExceeded.
        """
        header = _header(requests)
        form, expected = convert.export_format(header.format), common.expected_revision(header)
        folder_names = common.folder_names("header.folder_names", header.folder_names)
        with workspaces.use(header.workspace) as workspace:
            workspace.require_importable(expected)  # before a gigabyte is sent in vain
        with self._slots.one(context), spool(self._temporary_file) as path:
            receive_file(requests, path, self._max_import_bytes)
            waiting = cancellation(context, self._require_time)
            with workspaces.use(header.workspace) as workspace:
                found = workspace.import_file(path, form, expected, caller(context), waiting, folder_names)
            return convert.imported(found)


def _write_export(workspaces: Workspaces, request: pb.ExportRequest, form: TransferFormat) -> ExportFile:
    if request.snapshot_id:
        snapshot_id = validate.required_id("snapshot_id", request.snapshot_id)
        return workspaces.export_snapshot(request.workspace, snapshot_id, form)
    with workspaces.use(request.workspace) as workspace:  # no longer than this, because the client may be slow
        return workspace.export(form)


def file_parts(response: Callable[..., Response], path: Path) -> Iterator[Response]:
    """Yield a file as the parts of a stream: its content in chunks, and last the trailer to check it by. response:
    makes a message of one part, `chunk` or `trailer`.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(SENT_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            yield response(chunk=chunk)
    yield response(trailer=common_pb2.TransferTrailer(sha256=digest.hexdigest(), size_bytes=size))


@contextmanager
def spool(temporary_file: Callable[[], Path]) -> Iterator[Path]:
    """Give the block a path for a temporary file, which is removed at its end. Raises Exhausted if the disk is full."""
    path = temporary_file()
    try:
        yield path
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Exhausted("there is no room on the server's disk for this file", Reason.DISK_FULL, 30.0) from error
        raise
    finally:
        path.unlink(missing_ok=True)


def _header(requests: Iterator[pb.ImportRequest]) -> pb.ImportHeader:
    first = next(requests, None)
    if first is None or first.WhichOneof("part") != "header":
        raise InvalidInput("header", "is missing; an import starts with it")
    return first.header


def receive_file(requests: Iterator[ChunkRequest], path: Path, limit: int) -> None:
    """Write the chunks to `path`; check size and hash. limit: in bytes. Raises InvalidInput."""
    digest, size, trailer = hashlib.sha256(), 0, None
    with path.open("wb") as file:
        for request in requests:
            part = request.WhichOneof("part")
            if trailer is not None or part not in ("chunk", "trailer"):
                raise InvalidInput("part", "is out of order; send one header, then chunks, last a trailer")
            if part == "trailer":
                trailer = request.trailer
                continue
            size += len(request.chunk)
            if len(request.chunk) > MAX_RECEIVED_CHUNK_BYTES or size > limit:
                raise InvalidInput(
                    "chunk", f"is too large; {MAX_RECEIVED_CHUNK_BYTES:,} bytes each, {limit:,} in all are allowed"
                )
            digest.update(request.chunk)
            file.write(request.chunk)
    if trailer is not None:
        _compare(trailer, digest.hexdigest(), size)


def _compare(trailer: common_pb2.TransferTrailer, sha256: str, size: int) -> None:
    if trailer.size_bytes and trailer.size_bytes != size:
        raise InvalidInput(
            "trailer.size_bytes", f"is {trailer.size_bytes:,}, but {size:,} bytes arrived; send the file again"
        )
    if trailer.sha256 and trailer.sha256.lower() != sha256:
        raise InvalidInput("trailer.sha256", "is not that of the bytes that arrived; send the file again")
