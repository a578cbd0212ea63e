"""Downloads to files and uploads from files: in chunks, verified by SHA-256, and never leaving half a file behind."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from haleganada.v1 import common_pb2
from haleganada.v1 import ocr_service_pb2 as ocr

from .errors import HaleganadaError
from .types import ExportResult

FORMATS = {
    "": ocr.EXPORT_FORMAT_UNSPECIFIED,
    "archive": ocr.EXPORT_FORMAT_HALEGANADA_ARCHIVE,
    "seed": ocr.EXPORT_FORMAT_SEED_FILES,
    "jsonl": ocr.EXPORT_FORMAT_JSONL,
    "folder": ocr.EXPORT_FORMAT_IMAGE_FOLDER,
}
_CHUNK = 64 * 1024
Made = TypeVar("Made")
Progress = Callable[[int], None]
"""Called with the number of bytes so far."""


@dataclass(frozen=True)
class Received:
    """A file that was received and verified. header: the message that announced it."""

    header: Any
    size_bytes: int
    sha256: str


def write_export(parts: Iterator[Any], target: Path | BinaryIO, progress: Progress | None = None) -> ExportResult:
    """Write the export of a workspace; see write_parts."""
    received = write_parts(parts, target, progress)
    header = received.header
    return ExportResult(
        file_name=header.file_name,
        content_type=header.content_type,
        revision=header.revision,
        samples_total=header.samples_total,
        size_bytes=received.size_bytes,
        sha256=received.sha256,
    )


def write_parts(parts: Iterator[Any], target: Path | BinaryIO, progress: Progress | None = None) -> Received:
    """Write a file that is received as a header, chunks and a trailer.

    A path appears only when all chunks are verified and on disk; a file object gets them as they are received. Raise
    HaleganadaError if the file was damaged or truncated, OSError if it cannot be written.
    """
    return _write_atomically(target, lambda file: _receive(parts, file, progress))


def write_chunks(chunks: Iterator[bytes], target: Path | BinaryIO) -> int:
    """Write a file that is received as chunks only, which cannot be verified. Return its size; see write_parts."""
    return _write_atomically(target, lambda file: sum(map(file.write, chunks)))


def _write_atomically(target: Path | BinaryIO, write: Callable[[BinaryIO], Made]) -> Made:
    """Call `write` with the open file of the target, and return its result."""
    if not isinstance(target, Path):
        return write(target)
    # In the same folder, because a file can only be renamed within one file system; with a name of its own, because
    # two exports may run at once.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    with _name_target_in_errors(target):
        file = temporary.open("xb")
    try:
        with file:
            result = write(file)
            file.flush()
            os.fsync(file.fileno())
        with _name_target_in_errors(target):
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return result


@contextmanager
def _name_target_in_errors(target: Path) -> Iterator[None]:
    """Make errors name the target instead of the temporary file, which nobody has named."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None


def _receive(parts: Iterator[Any], file: BinaryIO, progress: Progress | None) -> Received:
    header, trailer, digest, size = None, None, hashlib.sha256(), 0
    for part in parts:
        kind = part.WhichOneof("part")
        if kind == "header":
            header = part.header
        elif kind == "trailer":
            trailer = part.trailer
        else:
            file.write(part.chunk)
            digest.update(part.chunk)
            size += len(part.chunk)
            if progress:
                progress(size)
    if header is None or trailer is None or trailer.sha256 != digest.hexdigest() or trailer.size_bytes != size:
        raise HaleganadaError("the file was damaged or truncated on the way; export it again", "TRANSFER_DAMAGED")
    return Received(header, size, trailer.sha256)


def import_requests(
    header: ocr.ImportHeader, file: BinaryIO, progress: Progress | None = None
) -> Iterator[ocr.ImportRequest]:
    """Yield the requests that send a file, from its present position."""
    digest, size = hashlib.sha256(), 0
    yield ocr.ImportRequest(header=header)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        yield ocr.ImportRequest(chunk=chunk)
        if progress:
            progress(size)
    yield ocr.ImportRequest(trailer=common_pb2.TransferTrailer(sha256=digest.hexdigest(), size_bytes=size))
