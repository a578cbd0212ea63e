"""Zip files: reading untrusted ones within limits, and writing ones that any program opens."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import MAX_IMAGE_BYTES

_MAX_RATIO = 200
_ALWAYS_ALLOWED_BYTES = 64 * 2**20  # whatever the compression ratio
_UTF8_NAME = 0x800
_ZIP = "zip file"
_DECODERS = ("zlib", "lzma", "_lzma", "bz2")


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """Limits for reading a zip file. directory_bytes: of its list of members. total_bytes: unpacked."""

    members: int = 200_000
    directory_bytes: int = 64 * 2**20
    total_bytes: int = 8 * 2**30


DEFAULT_LIMITS = ZipLimits()


@contextmanager
def open_zip(path: Path, limits: ZipLimits | None = None, kind: str = _ZIP) -> Iterator[zipfile.ZipFile]:
    """Open a zip file for reading. kind: the name of its format, for errors. Raises InvalidInput if it is not a zip
    file or is too expensive to read.
    """
    limits = limits or DEFAULT_LIMITS
    if _directory_bytes(path, kind) > limits.directory_bytes:
        raise InvalidInput("file", f"lists too many files; at most {limits.members:,} are allowed, so split it")
    with damage_as_invalid_input(kind), zipfile.ZipFile(path) as file:
        _check_sizes(file, path.stat().st_size, limits)
        yield file


@contextmanager
def damage_as_invalid_input(kind: str = _ZIP) -> Iterator[None]:
    """Convert whatever zipfile and its decoders raise for damaged, encrypted or unusual files to InvalidInput. kind:
    see open_zip.
    """
    try:
        yield
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError, struct.error) as error:
        raise InvalidInput("file", f"{_describe_invalid(kind)} ({type(error).__name__})") from error
    except Exception as error:  # zlib.error and its like for lzma and bz2 have no common base
        if type(error).__module__ not in _DECODERS:
            raise
        raise InvalidInput("file", f"is a damaged {kind}; create it again") from error


def read_member(file: zipfile.ZipFile, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
    """Return a member's bytes, at most `limit` whatever its header says. Raises InvalidInput."""
    try:
        with damage_as_invalid_input(), file.open(name) as member:
            data = member.read(limit + 1)
    except KeyError as error:
        raise InvalidInput("file", f"lacks {name}") from error
    if len(data) > limit:
        raise InvalidInput("file", f"has over {limit:,} bytes; send it smaller")
    return data


def decode_name(info: zipfile.ZipInfo) -> str:
    """Return a member's path. Many programs write UTF-8 without the flag, which zipfile decodes as code page 437."""
    name = info.filename
    if not info.flag_bits & _UTF8_NAME:
        with suppress(UnicodeError):  # it really is code page 437
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def is_hidden(name: str) -> bool:
    """Return whether a path, or a folder in it, is hidden or was added by macOS."""
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(name).parts)


def new_member(name: str, compression: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """Return a member to write, without a date: equal workspaces give equal files, and any clock works."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = compression
    info.external_attr = 0o644 << 16
    return info


def _check_sizes(file: zipfile.ZipFile, size: int, limits: ZipLimits) -> None:
    """Raise InvalidInput if the headers exceed the limits; zipfile never unpacks more than a header says."""
    if len(file.infolist()) > limits.members:
        raise InvalidInput("file", f"has over {limits.members:,} files; split it")
    total = sum(info.file_size for info in file.infolist())
    if total > limits.total_bytes or total > max(_ALWAYS_ALLOWED_BYTES, _MAX_RATIO * size):
        raise InvalidInput("file", f"unpacks to {total:,} bytes, which is too much for its size; split it")


def _describe_invalid(kind: str) -> str:
    return f"is not a {kind}, or is truncated; create it again"


def _directory_bytes(path: Path, kind: str) -> int:
    """Return the size of the list of members, which zipfile reads into memory. Raises InvalidInput without one."""
    with path.open("rb") as file:
        start = max(0, path.stat().st_size - 65_557)  # the longest comment, the end record, the 64-bit locator
        file.seek(start)
        tail = file.read()
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or len(tail) < end + 22:
            raise InvalidInput("file", _describe_invalid(kind))
        size: int = struct.unpack_from("<I", tail, end + 12)[0]
        file.seek(max(0, start + end - 76))
        wide = file.read(56)
    if wide.startswith(b"PK\x06\x06") and len(wide) == 56:
        size = max(size if size != 0xFFFFFFFF else 0, struct.unpack_from("<Q", wide, 40)[0])
    return size
