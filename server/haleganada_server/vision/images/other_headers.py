"""The headers of formats that people have besides PNG, JPEG and WebP: GIF, BMP, TIFF, and AVIF or HEIC.

As in header.py, only the size is read, in a bounded number of steps, before a decoder sees the file. Of a GIF or TIFF
with several pictures, the first counts.
"""

from __future__ import annotations

import struct

from PIL import features

Size = tuple[int, int]

_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_SHORT, _TIFF_LONG = 256, 257, 3, 4
_MAX_TIFF_TAGS = 1_000
_HEIF_BRANDS = {b"avif": "AVIF", b"heic": "HEIF", b"heix": "HEIF", b"heim": "HEIF", b"heis": "HEIF", b"mif1": "HEIF"}
_HEIF_META_BYTES = 2**20  # in which the properties of the pictures are; the pictures themselves follow
_MAX_PROPERTIES = 10_000


def read_other_size(data: bytes) -> tuple[str, Size] | None:
    """Return Pillow's name of the format, and (width, height); None for any other file. Raises struct.error or
    IndexError for a file that is cut off.
    """
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF", struct.unpack_from("<HH", data, 6)
    if data.startswith(b"BM"):
        return "BMP", _read_bmp_size(data)
    if data.startswith((b"II*\0", b"MM\0*")):
        return "TIFF", _read_tiff_size(data)
    kind = _HEIF_BRANDS.get(data[8:12]) if data[4:8] == b"ftyp" else None
    return (kind, _read_heif_size(data)) if kind in OPTIONAL_FORMATS and kind is not None else None


def _read_bmp_size(data: bytes) -> Size:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header_bytes == 12 else "<ii", data, 18)
    return max(0, width), abs(height)  # a negative height begins at the top


def _read_tiff_size(data: bytes) -> Size:
    order = "<" if data.startswith(b"II") else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    found = {}
    for i in range(min(count, _MAX_TIFF_TAGS)):
        tag, kind = struct.unpack_from(f"{order}HH", data, at + 2 + 12 * i)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT) and kind in (_TIFF_SHORT, _TIFF_LONG):
            (found[tag],) = struct.unpack_from(f"{order}{'H' if kind == _TIFF_SHORT else 'I'}", data, at + 10 + 12 * i)
    return found.get(_TIFF_WIDTH, 0), found.get(_TIFF_HEIGHT, 0)


def _read_heif_size(data: bytes) -> Size:
    """Return the largest size that a property names: that of the whole picture, if it consists of tiles."""
    sizes, at = [(0, 0)], 0
    for _ in range(_MAX_PROPERTIES):
        at = data.find(b"ispe", at, _HEIF_META_BYTES)
        if at < 0:
            break
        sizes.append(struct.unpack_from(">II", data, at + 8))
        at += 4
    return max(sizes, key=lambda size: size[0] * size[1])


def _find_optional_formats() -> frozenset[str]:
    """Return the formats whose decoders are installed: AVIF's is part of Pillow, HEIC's is pillow-heif."""
    found = {"AVIF"} if features.check("avif") else set()
    try:
        import pillow_heif
    except ImportError:
        return frozenset(found)
    pillow_heif.register_heif_opener()
    return frozenset(found | {"HEIF"})


OPTIONAL_FORMATS = _find_optional_formats()
