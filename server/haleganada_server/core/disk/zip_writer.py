"""Writes zip files of any number of members; unlike zipfile, it keeps no list of them in memory."""

from __future__ import annotations

import shutil
import struct
import tempfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO

_UTF8 = 0x800
_STORED, _DEFLATED = 0, 8
_DATE = 0x21  # 1980-01-01, as in all zip files that are written here
_VERSION = 45  # of the format, which has sizes of 64 bits
_MODE = 0o100644 << 16
_SEE_64 = 0xFFFFFFFF  # stands for a number that is given in 64 bits elsewhere
_LIMIT = _SEE_64  # where numbers no longer fit into 32 bits
_CHUNK = 2**20


class ZipWriter:
    """Use it as a context: the file is complete when that ends. Other programs need the 64-bit form of the format for
    more than 65,535 members or 4 GiB, which all have by now.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._directory: IO[bytes] = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 - closed with the file
        self._members = 0

    def __enter__(self) -> ZipWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file, self._directory:
            if kind is None:
                self._finish()

    def add(self, name: str, data: bytes) -> None:
        """Add a member that is compressed already, such as a picture."""
        self._begin(name, _STORED, zlib.crc32(data), len(data), len(data))
        self._file.write(data)

    def add_text(self, name: str, source: IO[bytes]) -> None:
        """Add a file, from its beginning, and compress it."""
        source.seek(0)
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        crc = size = 0
        with tempfile.TemporaryFile(dir=Path(self._file.name).parent) as compressed:
            while chunk := source.read(_CHUNK):
                crc, size = zlib.crc32(chunk, crc), size + len(chunk)
                compressed.write(deflate.compress(chunk))
            compressed.write(deflate.flush())
            self._begin(name, _DEFLATED, crc, compressed.tell(), size)
            compressed.seek(0)
            shutil.copyfileobj(compressed, self._file, _CHUNK)

    def _begin(self, name: str, method: int, crc: int, compressed: int, size: int) -> None:
        """Write what precedes a member's data, and what the directory says of it."""
        encoded, offset = name.encode(), self._file.tell()
        common = struct.pack("<HHHHHL", _VERSION, _UTF8, method, 0, _DATE, crc)
        is_wide = max(compressed, size) >= _LIMIT
        sizes = struct.pack("<LL", *(_SEE_64, _SEE_64) if is_wide else (compressed, size))
        extra = struct.pack("<HHQQ", 1, 16, size, compressed) if is_wide else b""
        self._file.write(b"PK\3\4" + common + sizes + struct.pack("<HH", len(encoded), len(extra)) + encoded + extra)
        wide = [size, compressed] * is_wide + [offset] * (offset >= _LIMIT)
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        lengths = struct.pack("<HHHHHLL", len(encoded), len(extra), 0, 0, 0, _MODE, _narrow(offset))
        self._directory.write(b"PK\1\2" + struct.pack("<H", 3 << 8 | _VERSION) + common + sizes + lengths)
        self._directory.write(encoded + extra)
        self._members += 1

    def _finish(self) -> None:
        start, size, members = self._file.tell(), self._directory.tell(), self._members
        self._directory.seek(0)
        shutil.copyfileobj(self._directory, self._file, _CHUNK)
        if members >= 0xFFFF or start + size >= _LIMIT:
            end = self._file.tell()
            counts = (44, 3 << 8 | _VERSION, _VERSION, 0, 0, members, members, size, start)
            self._file.write(b"PK\6\6" + struct.pack("<QHHLLQQQQ", *counts))
            self._file.write(b"PK\6\7" + struct.pack("<LQL", 0, end, 1))
        few = min(members, 0xFFFF)
        self._file.write(b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, few, few, _narrow(size), _narrow(start), 0))


def _narrow(number: int) -> int:
    return number if number < _LIMIT else _SEE_64
