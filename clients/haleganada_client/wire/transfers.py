"""Downloads to files and uploads from files: in chunks, verified by SHA-256, and never leaving half a file behind."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, Union, cast

from haleganada.v1 import common_pb2
from haleganada.v1 import ocr_service_pb2 as ocr

from ..errors import HaleganadaError
from ..types import ExportResult
from .arguments import to_path

FORMATS = {
    "": ocr.EXPORT_FORMAT_UNSPECIFIED,
    "archive": ocr.EXPORT_FORMAT_HALEGANADA_ARCHIVE,
    "seed": ocr.EXPORT_FORMAT_SEED_FILES,
    "jsonl": ocr.EXPORT_FORMAT_JSONL,
    "folder": ocr.EXPORT_FORMAT_IMAGE_FOLDER,
}
_CHUNK = 64 * 1024
_FILE = "a path or an open binary file"
Request = TypeVar("Request")
Progress = Callable[[int], None]
"""Called with the number of bytes so far; for an import, in another thread."""
Target = Union[str, "os.PathLike[str]", BinaryIO]
"""Where to write: a path, or a binary file that is open for writing."""
Source = Union[str, "os.PathLike[str]", BinaryIO]
"""What to read: a path, or a binary file that is open for reading."""
Offload = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Received:
    """A file that was received and verified. header: the message that announced it."""

    header: Any
    size_bytes: int
    sha256: str


async def write_export(
    parts: AsyncGenerator[Any, None], target: Target, progress: Progress | None, offload: Offload
) -> ExportResult:
    """Write the export of a workspace; see write_parts."""
    received = await write_parts(parts, target, progress, offload)
    header = received.header
    return ExportResult(
        file_name=header.file_name,
        content_type=header.content_type,
        revision=header.revision,
        samples_total=header.samples_total,
        size_bytes=received.size_bytes,
        sha256=received.sha256,
    )


async def write_parts(
    parts: AsyncGenerator[Any, None], target: Target, progress: Progress | None, offload: Offload
) -> Received:
    """Write a file that is received as a header, chunks and a trailer.

    A path appears only when all chunks are verified and on disk; a file object gets them as they are received. Raise
    HaleganadaError if the file was damaged or truncated, OSError if it cannot be written. offload: see
    Connection.offload.
    """
    async with _open_target(target, offload) as file, aclosing(parts):
        return await _receive(parts, file, progress, offload)


async def write_chunks(parts: AsyncGenerator[Any, None], target: Target, offload: Offload) -> int:
    """Write a file that is received as chunks only, which cannot be verified. Return its size; see write_parts."""
    size = 0
    async with _open_target(target, offload) as file, aclosing(parts):
        async for part in parts:
            await offload(file.write, part.chunk)
            size += len(part.chunk)
    return size


@asynccontextmanager
async def _open_target(target: Target, offload: Offload) -> AsyncIterator[BinaryIO]:
    """Open a file for the block, which gets its name only if the block succeeds."""
    if callable(getattr(target, "write", None)):
        yield cast(BinaryIO, target)
        return
    path = to_path(target, "target", _FILE)
    # In the same folder, because a file can only be renamed within one file system; with a name of its own, because
    # two exports may run at once.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with _name_target_in_errors(path):
        file = await offload(temporary.open, "xb")
    try:
        with file:
            yield file
            await offload(_sync, file)
        with _name_target_in_errors(path):
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(file: BinaryIO) -> None:
    """Wait until what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _name_target_in_errors(target: Path) -> Iterator[None]:
    """Make errors name the target instead of the temporary file, which nobody has named."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None


async def _receive(parts: AsyncIterator[Any], file: BinaryIO, progress: Progress | None, offload: Offload) -> Received:
    header, trailer, digest, size = None, None, hashlib.sha256(), 0
    async for part in parts:
        kind = part.WhichOneof("part")
        if kind == "header":
            header = part.header
        elif kind == "trailer":
            trailer = part.trailer
        else:
            await offload(file.write, part.chunk)
            digest.update(part.chunk)
            size += len(part.chunk)
            if progress:
                progress(size)
    if header is None or trailer is None or trailer.sha256 != digest.hexdigest() or trailer.size_bytes != size:
        raise HaleganadaError("the file was damaged or truncated on the way; export it again", "TRANSFER_DAMAGED")
    return Received(header, size, trailer.sha256)


def open_source(source: Source) -> AbstractContextManager[BinaryIO]:
    """Open a file to import for a block; one that is open already stays open. Raise OSError or WrongType."""
    if callable(getattr(source, "read", None)):
        return nullcontext(cast(BinaryIO, source))
    return to_path(source, "source", _FILE).open("rb")


def import_requests(
    request: Callable[..., Request], header: Any, file: BinaryIO, progress: Progress | None = None
) -> Iterator[Request]:
    """Yield the requests that send a file, from its present position. request: their type."""
    digest, size = hashlib.sha256(), 0
    yield request(header=header)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        yield request(chunk=chunk)
        if progress:
            progress(size)
    yield request(trailer=common_pb2.TransferTrailer(sha256=digest.hexdigest(), size_bytes=size))
