"""Pictures as PDFs have them: JPEGs as they are, others without loss unless that takes far more room."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cutting import simplify

_JPEG_QUALITY = 90
_WORTH = 3  # a picture is stored without loss if that takes at most so many times the room of a JPEG
_BANDS, _BAND_ROWS = 8, 16
_ORIENTATION = 0x0112
_SEQUENTIAL = (0xC0, 0xC1, 0xC2)  # the kinds of JPEG that every viewer knows


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPicture:
    """data: compressed by `filter`, a name of PDF, with its parameters as PDF writes them. color: Gray or RGB.
    orientation: 1 to 8 as in EXIF.
    """

    data: bytes
    width: int
    height: int
    color: str
    bits: int
    filter: str
    parameters: str = ""
    orientation: int = 1


def keep_jpeg(path: Path) -> EncodedPicture | None:
    """Return a JPEG as it is; None if the file is none, or of a kind that not every viewer shows."""
    try:
        with Image.open(path, formats=("JPEG",)) as image:
            color = {"L": "Gray", "RGB": "RGB"}.get(image.mode)
            width, height = image.size
            orientation = image.getexif().get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, struct.error):
        return None
    data = path.read_bytes()
    if color is None or _kind_of_jpeg(data) not in _SEQUENTIAL:
        return None
    return EncodedPicture(
        data=data,
        width=width,
        height=height,
        color=color,
        bits=8,
        filter="DCTDecode",
        orientation=orientation if orientation in range(1, 9) else 1,
    )


def encode_picture(picture: NDArray[np.uint8]) -> EncodedPicture:
    """picture: (height, width, 3) RGB."""
    image = simplify(picture)
    color = "RGB" if image.mode == "RGB" else "Gray"
    if image.mode != "1" and _is_photo(np.asarray(image)):
        data, bits, method, parameters = _to_jpeg(image), 8, "DCTDecode", ""
    else:
        data, bits, method = _deflate(image), 1 if image.mode == "1" else 8, "FlateDecode"
        colors = len(image.getbands())
        parameters = f"<< /Predictor 15 /Colors {colors} /BitsPerComponent {bits} /Columns {image.width} >>"
    return EncodedPicture(
        data=data,
        width=image.width,
        height=image.height,
        color=color,
        bits=bits,
        filter=method,
        parameters=parameters,
    )


def _is_photo(pixels: NDArray[np.uint8]) -> bool:
    """Return whether a picture without loss would take much more room than a JPEG, judged by bands of it."""
    rows = len(pixels)
    starts = np.linspace(0, max(rows - _BAND_ROWS, 0), _BANDS).astype(int)
    sample = Image.fromarray(np.concatenate([pixels[start : start + _BAND_ROWS] for start in np.unique(starts)]))
    return len(_deflate(sample)) > _WORTH * len(_to_jpeg(sample))


def _to_jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _deflate(image: Image.Image) -> bytes:
    """Return the data of a PNG: its lines, predicted and deflated, are what PDF calls FlateDecode with predictor 15."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    png, at, data = buffer.getbuffer(), 8, []
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            data.append(bytes(png[at + 8 : at + 8 + length]))
        at += length + 12
    return b"".join(data)


def _kind_of_jpeg(data: bytes) -> int:
    """Return the marker of the first frame of a JPEG, 0 without one."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # fill bytes may stand before a marker
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker
        at += 2 + length
    return 0
