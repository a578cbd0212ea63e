"""Reading an image file's header before any pixel is decoded: its format, its size, and whether it is complete.

A small file can announce a huge picture, and a decoder may allocate its memory just to open it. So the headers of the
formats are parsed here and in other_headers.py, in a bounded number of steps. Layouts: PNG (ISO/IEC 15948), JPEG
(ITU-T T.81, annex B), WebP (RFC 9649).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from haleganada_server.core.errors import InvalidInput

from .other_headers import read_other_size

FIELD = "glyph.image"
CUT_OFF = "is cut off or damaged; send the whole file again"
_ANIMATED = "is animated; send a single picture"
_TEXT_ENCODINGS = (b"data:", b"iVBORw0KGgo", b"/9j/", b"UklGR")
"""First bytes of the allowed formats in a data URL and in base64, which a caller may have forgotten to decode."""
_MAX_PARTS = 10_000
"""Chunks or segments of a file. A photo of 8 MiB has about a thousand; millions of empty ones would only take time."""
_MAX_SCANS = 64
"""Passes of a progressive JPEG, each over the whole picture. Cameras and browsers write about ten."""

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 without DHT, JPG and DAC
_JPEG_SEQUENTIAL = (0xC0, 0xC1)
_JPEG_SCAN, _JPEG_END = 0xDA, b"\xff\xd9"
_JPEG_WITHOUT_LENGTH = frozenset([0x01, *range(0xD0, 0xD8)])


@dataclass(frozen=True, slots=True)
class Header:
    """format: as Pillow names it. width, height: px, before any EXIF rotation. is_reducible: whether it can be decoded
    at a reduced scale, without the memory of the whole picture.
    """

    format: str
    width: int
    height: int
    is_reducible: bool = False


def read_header(data: bytes) -> Header:
    """Parse the header. Raises InvalidInput for anything but a complete, still picture of a known format."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return Header("PNG", *_read_png_size(data))
        if data.startswith(b"\xff\xd8\xff"):
            width, height, is_sequential = _read_jpeg_size(data)
            return Header("JPEG", width, height, is_sequential)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return Header("WEBP", *_read_webp_size(data))
        if other := read_other_size(data):
            return Header(other[0], *other[1])
    except (struct.error, IndexError):
        raise InvalidInput(FIELD, CUT_OFF) from None
    advice = "send the bytes of one, not base64" if data.startswith(_TEXT_ENCODINGS) else "save it as one of these"
    raise InvalidInput(FIELD, f"is not a PNG, JPEG or WebP image; {advice}")


def count_pixels(data: bytes) -> int:
    """Return width times height. Raises InvalidInput as read_header does."""
    header = read_header(data)
    return header.width * header.height


def _read_png_size(data: bytes) -> tuple[int, int]:
    at, kind = 8, b""
    for _ in range(_MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL" and struct.unpack_from(">I", data, at + 8)[0] > 1:
            raise InvalidInput(FIELD, _ANIMATED)
        at += 12 + length
        if kind == b"IEND":
            break
    if kind != b"IEND" or at > len(data) or data[12:16] != b"IHDR":
        raise InvalidInput(FIELD, CUT_OFF)
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _read_jpeg_size(data: bytes) -> tuple[int, int, bool]:
    """Return the width, the height, and whether the picture is not progressive."""
    at, size, frame = 2, None, 0
    for _ in range(_MAX_PARTS):
        marker = data[at + 1] if data[at] == 0xFF else 0
        if marker == 0:
            break
        if marker == 0xFF:  # padding before a marker
            at += 1
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            size, frame = (width, height), marker
        if marker == _JPEG_SCAN:
            return (*_check_jpeg_scans(data, at, size), frame in _JPEG_SEQUENTIAL)
        at += 2 if marker in _JPEG_WITHOUT_LENGTH else 2 + struct.unpack_from(">H", data, at + 2)[0]
    raise InvalidInput(FIELD, CUT_OFF)


def _check_jpeg_scans(data: bytes, scan: int, size: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size if an end follows the first scan and there are not too many scans for a decoder."""
    if size is None or data.find(_JPEG_END, scan) < 0:
        raise InvalidInput(FIELD, CUT_OFF)
    if data.count(bytes((0xFF, _JPEG_SCAN)), scan) > _MAX_SCANS:
        raise InvalidInput(FIELD, f"has more than {_MAX_SCANS} progressive passes; save it as a plain JPEG")
    return size


def _read_webp_size(data: bytes) -> tuple[int, int]:
    if struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise InvalidInput(FIELD, CUT_OFF)
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 0x02:
            raise InvalidInput(FIELD, _ANIMATED)
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise InvalidInput(FIELD, CUT_OFF)
