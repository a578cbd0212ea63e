"""PNG files without what is not the picture: comments, profiles and private data may be damaged, or so large that a
decoder refuses them.
"""

from __future__ import annotations

import struct

_NEEDED = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"))
_TEXT, _XMP = b"iTXt", b"XML:com.adobe.xmp\0"
_MAX_XMP_BYTES = 2**16


def drop_ancillary_chunks(data: bytes) -> bytes:
    """Return the file with the picture, its transparency and its orientation alone. data: whose chunks are complete."""
    kept, at, is_whole = [data[:8]], 8, True
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        is_orientation = kind == _TEXT and length <= _MAX_XMP_BYTES and data.startswith(_XMP, at + 8)
        if kind in _NEEDED or is_orientation:
            kept.append(data[at:end])
        else:
            is_whole = False
        at = end
        if kind == b"IEND":
            break
    return data if is_whole else b"".join(kept)
