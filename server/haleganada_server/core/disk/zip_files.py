"""Zip files: reading untrusted ones within limits, and writing ones that any program opens."""

from __future__ import annotations

import itertools
import os
import struct
import zipfile
import zlib
from collections.abc import Container, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import MAX_IMAGE_BYTES

_MAX_RATIO = 200
_ALWAYS_ALLOWED_BYTES = 64 * 2**20  # whatever the compression ratio
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800  # flags of a member
_DOS = (0, 11)  # systems on which a member was made: FAT and NTFS
_UNICODE_PATH = 0x7075  # the extra field in which some programs repeat a name in UTF-8
_ZIP = "zip file"
_REPACK = "make it again with ordinary deflate"
_RENAME = "make the zip with UTF-8 names, or send the folder"
_MAX_SHOWN = 80
_DECODERS = ("zlib", "lzma", "_lzma", "bz2")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_OTHER_METHODS = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}
_OTHER_ARCHIVES = {b"Rar!": "RAR", b"7z\xbc\xaf": "7-Zip", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini")
"""Written into folders by Windows, as .DS_Store is by macOS."""


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """Limits for reading a zip file. directory_bytes: of its list of members. total_bytes: unpacked."""

    members: int = 200_000
    directory_bytes: int = 64 * 2**20
    total_bytes: int = 8 * 2**30


DEFAULT_LIMITS = ZipLimits()


@contextmanager
def open_zip(path: Path | IO[bytes], limits: ZipLimits | None = None, kind: str = _ZIP) -> Iterator[zipfile.ZipFile]:
    """Open a zip file for reading. path: or an open file, such as a member of another zip. kind: the name of its
    format, for errors.

    Raises InvalidInput if it is not a zip file, is too expensive to read, or is packed in a way that few programs read.
    """
    limits = limits or DEFAULT_LIMITS
    with path.open("rb") if isinstance(path, Path) else nullcontext(path) as opened:
        if _directory_bytes(opened, kind) > limits.directory_bytes:
            raise InvalidInput("file", f"lists too many files; at most {limits.members:,} are allowed, so split it")
        with damage_as_invalid_input(kind), zipfile.ZipFile(opened) as file:
            _check_sizes(file, opened.seek(0, os.SEEK_END), limits)
            _check_packing(file)
            yield file


@contextmanager
def damage_as_invalid_input(kind: str = _ZIP) -> Iterator[None]:
    """Convert whatever zipfile and its decoders raise for damaged or unusual files to InvalidInput. kind: see
    open_zip.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise InvalidInput("file", f"has names that are not UTF-8; {_RENAME}") from error
    except NotImplementedError as error:
        raise InvalidInput("file", f"is a {kind} of a kind that is not read here; {_REPACK}") from error
    except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, struct.error) as error:
        raise InvalidInput("file", f"is a damaged {kind}; create it again") from error
    except Exception as error:  # zlib.error and its like for lzma and bz2 have no common base
        if type(error).__module__ not in _DECODERS:
            raise
        raise InvalidInput("file", f"is a damaged {kind}; create it again") from error


def list_members(file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files by their names, in their order, without folders and hidden ones. A name that occurs again gets
    a number, so that no file is lost. Raises InvalidInput for names that are not UTF-8.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    for info in file.infolist():
        name = _tidy(decode_name(info))
        if info.is_dir() or is_hidden(name):
            continue
        members[_make_unique(name, members)] = info
    return members


def read_member(file: zipfile.ZipFile, member: str | zipfile.ZipInfo, limit: int = MAX_IMAGE_BYTES) -> bytes:
    """Return a member's bytes, at most `limit` whatever its header says. Raises InvalidInput."""
    try:
        with damage_as_invalid_input(), file.open(member) as opened:
            data = opened.read(limit + 1)
    except KeyError as error:
        raise InvalidInput("file", f"lacks {member}") from error
    if len(data) > limit:
        raise InvalidInput("file", f"has over {limit:,} bytes; send it smaller")
    return data


def decode_name(info: zipfile.ZipInfo) -> str:
    """Return a member's path. Programs on macOS and Linux write UTF-8 without the flag, which zipfile decodes as code
    page 437.

    Raises InvalidInput for any other encoding: which of dozens of code pages it is, nobody could tell, and another one
    gives other letters. Programs on Windows write UTF-8 only with the flag.
    """
    name = info.filename
    if not info.flag_bits & _UTF8_NAME and not name.isascii():
        raw = info.orig_filename.encode("cp437")
        try:
            name = _find_unicode_path(info.extra, raw) or raw.decode("ascii" if info.create_system in _DOS else "utf-8")
        except UnicodeError as error:
            shown = raw.decode("ascii", "backslashreplace")[:_MAX_SHOWN]
            raise InvalidInput("file", f"has names that are not UTF-8, such as {shown}; {_RENAME}") from error
    return name.replace("\\", "/")


def is_hidden(name: str) -> bool:
    """Return whether a path, or a folder in it, is hidden or was added by macOS or Windows."""
    parts = name.split("/")
    added = any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in parts)
    return added or parts[-1].lower() in _SYSTEM_FILES


def _find_unicode_path(extra: bytes, raw: bytes) -> str:
    """Return a member's name from its extra fields; "" if none has it, or has that of another name."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH and size > 5 and struct.unpack_from("<L", extra, 5)[0] == zlib.crc32(raw):
            return extra[9 : 4 + size].decode("utf-8")
        extra = extra[4 + size :]
    return ""


def _tidy(name: str) -> str:
    """Return a path without empty parts and ".", in the one spelling by which its file is found again."""
    return "/" * name.startswith("/") + "/".join(part for part in name.split("/") if part not in ("", "."))


def _make_unique(name: str, taken: Container[str]) -> str:
    if name not in taken:
        return name
    folder, slash, last = name.rpartition("/")
    stem, dot, ending = last.rpartition(".")
    start = f"{folder}{slash}{stem or ending}"
    numbered = (f"{start} ({number}){dot}{ending if stem else ''}" for number in itertools.count(2))
    return next(other for other in numbered if other not in taken)


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


def _check_packing(file: zipfile.ZipFile) -> None:
    """Raise InvalidInput for members that need a password, or are packed as few programs can."""
    for info in file.infolist():
        if info.flag_bits & _ENCRYPTED:
            raise InvalidInput("file", "has a password; make it again without one")
        if info.compress_type not in _METHODS:
            method = _OTHER_METHODS.get(info.compress_type, f"number {info.compress_type}")
            raise InvalidInput(
                "file", f"is compressed by a method that this server does not read ({method}); {_REPACK}"
            )


def _describe_invalid(kind: str, start: bytes) -> str:
    for signature, other in _OTHER_ARCHIVES.items():
        if start.startswith(signature):
            return f"is a {other} file, not a {kind}; make a {kind} of what is in it"
    return f"is not a {kind}, or is truncated; create it again"


def _directory_bytes(file: IO[bytes], kind: str) -> int:
    """Return the size of the list of members, which zipfile reads into memory. Raises InvalidInput without one."""
    head = file.read(8)
    start = max(0, file.seek(0, os.SEEK_END) - 65_557)  # the longest comment, the end record, the 64-bit locator
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise InvalidInput("file", _describe_invalid(kind, head))
    size: int = struct.unpack_from("<I", tail, end + 12)[0]
    file.seek(max(0, start + end - 76))
    wide = file.read(56)
    if wide.startswith(b"PK\x06\x06") and len(wide) == 56:
        size = max(size if size != 0xFFFFFFFF else 0, struct.unpack_from("<Q", wide, 40)[0])
    return size
