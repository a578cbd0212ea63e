"""Messages between the server and its raster workers: some pictures, and what data sets store of them.

Both ends are the same program on the same machine, so the format may change with every version.

Request: {"pictures": [the bytes of an image file, or the height and width of gray values]}. Its payload holds the
pictures.

Response: {"outcomes": [a picture's number of pixels, or the field and description of an InvalidInput], "side": px}. Its
payload holds the (n, side, side) uint8 rasters of the pictures without errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.outcomes import Outcome, ok_values

Message = tuple[dict[str, Any], bytes]
Picture: TypeAlias = bytes | NDArray[np.uint8]
"""The bytes of an image file, or (h, w) gray values."""
DecodedPicture: TypeAlias = tuple[NDArray[np.uint8], int]
"""(side, side) ink as data sets store it, and the number of pixels of the picture."""


def pack_request(pictures: Sequence[Picture]) -> Message:
    sizes = [len(picture) if isinstance(picture, bytes) else picture.shape for picture in pictures]
    return {"pictures": sizes}, b"".join(
        picture if isinstance(picture, bytes) else picture.tobytes() for picture in pictures
    )


def unpack_request(message: Message) -> list[Picture]:
    facts, payload = message
    pictures: list[Picture] = []
    start = 0
    for size in facts["pictures"]:
        end = start + (size if isinstance(size, int) else size[0] * size[1])
        data = payload[start:end]
        pictures.append(data if isinstance(size, int) else np.frombuffer(data, np.uint8).reshape(size))
        start = end
    return pictures


def pack_response(outcomes: Sequence[Outcome[DecodedPicture]]) -> Message:
    """Pack what became of each picture. Raises any error that is not InvalidInput: only that can be sent."""
    rasters = [raster for raster, _ in ok_values(outcomes)]
    facts = {"outcomes": [_pack_outcome(outcome) for outcome in outcomes], "side": len(rasters[0]) if rasters else 0}
    return facts, b"".join(raster.tobytes() for raster in rasters)


def unpack_response(message: Message) -> list[Outcome[DecodedPicture]]:
    facts, payload = message
    side = facts["side"]
    count = sum(isinstance(outcome, int) for outcome in facts["outcomes"])
    rasters = iter(np.frombuffer(payload, np.uint8).reshape(count, side, side))
    return [
        (next(rasters), outcome) if isinstance(outcome, int) else InvalidInput(*outcome)
        for outcome in facts["outcomes"]
    ]


def _pack_outcome(outcome: Outcome[DecodedPicture]) -> int | tuple[str, str]:
    if isinstance(outcome, tuple):
        return outcome[1]
    if isinstance(outcome, InvalidInput):
        return outcome.field, outcome.description
    raise outcome
