"""A glyph of a scan, drawn in a terminal with half blocks: two pixels in each character."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.reading.types import PageReading

_MOST_SIDE_PX = 4096  # of the scan
_WIDE, _HIGH = 64, 32  # pixels of a drawing, at most
_MARGIN = 0.25  # of the glyph's height, around it
_BLOCKS = " ▀▄█"


@dataclass(frozen=True, slots=True)
class Scan:
    """picture: of Pillow, gray. scale: its pixels for each pixel of the page."""

    picture: Any
    scale: float


def load_scan(client: HaleganadaClient, reading_id: str, page: PageReading) -> Scan | None:
    """Return the scan of a page; None where Pillow is not installed, which the thin client does without."""
    try:
        from PIL import Image
    except ImportError:
        return None
    found = client.readings.image(reading_id, page.page, max_side=_MOST_SIDE_PX)
    return Scan(Image.open(io.BytesIO(found.image)).convert("L"), found.width / page.width)


def draw_glyph(scan: Scan, box: tuple[float, float, float, float]) -> str:
    """Return lines of block characters. box: left, top, right, bottom in px of the page."""
    left, top, right, bottom = (scan.scale * edge for edge in box)
    margin = _MARGIN * (bottom - top)
    crop = scan.picture.crop((left - margin, top - margin, right + margin, bottom + margin))
    shrink = max(crop.width / _WIDE, crop.height / _HIGH, 0.25)
    small = crop.resize((max(1, round(crop.width / shrink)), 2 * max(1, round(crop.height / shrink / 2))))
    least, most = small.getextrema()
    dark = [level < (least + most) / 2 for level in small.tobytes()]
    rows = [dark[start : start + small.width] for start in range(0, len(dark), small.width)]
    lines = (
        "".join(_BLOCKS[upper + 2 * lower] for upper, lower in zip(*rows[at : at + 2], strict=True)).rstrip()
        for at in range(0, len(rows), 2)
    )
    return "\n".join(lines).strip("\n")
