"""Exports into files and files into imports: chunk by chunk, checked by their SHA-256, never half a file at the end."""

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
"""Called with the bytes so far."""


@dataclass(frozen=True)
class Received:
    """A file that arrived unchanged. header: the message that announced it."""

    header: Any
    size_bytes: int
    sha256: str


def write_export(parts: Iterator[Any], target: Path | BinaryIO, progress: Progress | None = None) -> ExportResult:
    """Write the chunks of an export of a workspace; as write_parts."""
    done = write_parts(parts, target, progress)
    header = done.header
    facts = (header.file_name, header.content_type, header.revision, header.samples_total)
    return ExportResult(*facts, done.size_bytes, done.sha256)


def write_parts(parts: Iterator[Any], target: Path | BinaryIO, progress: Progress | None = None) -> Received:
    """Write a file that comes as a header, chunks, and a trailer.

    A path appears only once all of them have arrived unchanged and are on disk; a file object gets them as they come.
    Raises HaleganadaError if the file was damaged or cut off, OSError if it cannot be written.
    """
    return _placed(target, lambda file: _receive(parts, file, progress))


def write_chunks(chunks: Iterator[bytes], target: Path | BinaryIO) -> int:
    """Write a file that comes as nothing but chunks; its bytes. As write_parts, as far as it can be checked."""
    return _placed(target, lambda file: sum(map(file.write, chunks)))


def _placed(target: Path | BinaryIO, write: Callable[[BinaryIO], Made]) -> Made:
    """What `write` gives for the target's open file."""
    if not isinstance(target, Path):
        return write(target)
    # Beside its final place, because a file can only be renamed within one disk; a name of its own, because two
    # exports may run at once.
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    with _named(target):
        file = beside.open("xb")
    try:
        with file:
            result = write(file)
            file.flush()
            os.fsync(file.fileno())
        with _named(target):
            beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return result


@contextmanager
def _named(target: Path) -> Iterator[None]:
    """In the block, errors are the target's, which is all that people have named."""
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
        raise HaleganadaError("the export arrived changed or cut off; export again", "TRANSFER_DAMAGED")
    return Received(header, size, trailer.sha256)


def import_requests(
    header: ocr.ImportHeader, file: BinaryIO, progress: Progress | None = None
) -> Iterator[ocr.ImportRequest]:
    """The requests that send a file from where it stands."""
    digest, size = hashlib.sha256(), 0
    yield ocr.ImportRequest(header=header)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        yield ocr.ImportRequest(chunk=chunk)
        if progress:
            progress(size)
    yield ocr.ImportRequest(trailer=common_pb2.TransferTrailer(sha256=digest.hexdigest(), size_bytes=size))
