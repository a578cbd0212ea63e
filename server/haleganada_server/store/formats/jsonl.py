"""JSON lines, for people and scripts: one object for each sample, with its label and either `ink` or `image`.

`ink` is {"width", "height", "pen_width", "strokes": [{"x", "y", "t", "pressure"}]} as in the contract, whose time_ms is
`t` here; `image` is a picture in base64. `variant_of`, `time_us` and `sample_id` are optional.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.ink_codec import encode_ink
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.sample_log.rows import SYNTHETIC, SampleRow
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.core.workspaces.types import RefusedItem
from haleganada_server.store.sample_log.reader import LogReader

from . import drawings, items


def write(log: LogReader, rasterizer: Rasterizer, path: Path) -> None:
    """Write one line for each sample."""
    del rasterizer  # drawings go as they are stored
    links = log.links()
    with path.open("w", encoding="utf-8") as file:
        for sample in log.all_samples():
            file.write(json.dumps(_describe(sample, links), ensure_ascii=False) + "\n")


def read(path: Path, rasterizer: Rasterizer) -> Iterator[ImportItem | RefusedItem]:
    """Yield one item or refusal for each line that is not empty."""
    del rasterizer  # drawings are checked when they are taught
    with path.open("rb") as file:
        for number, line in enumerate(items.read_lines(file), start=1):
            if line.strip():
                yield _parse_item(f"line {number}", line)


def _describe(sample: SampleRow, links: dict[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"sample_id": sample.sample_id, "label": sample.label, "time_us": sample.time_us}
    if sample.label in links:
        fields["variant_of"] = links[sample.label]
    if sample.glyph_kind == "ink":
        fields["ink"] = items.ink_to_json(drawings.to_ink(sample.glyph))
    else:
        fields["image"] = base64.b64encode(sample.glyph).decode()
    if sample.glyph_kind == SYNTHETIC:
        fields["synthetic"] = True
    return fields


def _parse_item(name: str, line: bytes) -> ImportItem | RefusedItem:
    try:
        fields = items.parse_json_object(line)
        label, variant_of = items.get_text(fields, "label"), items.get_text(fields, "variant_of", default="")
        glyph, drawing = _parse_glyph(fields)
        time_us = items.get_time_us(fields)
        return ImportItem(
            item=name,
            label=label,
            canonical=variant_of,
            glyph=glyph,
            key=items.item_key(label, drawing, time_us),
            time_us=time_us,
        )
    except InvalidInput as error:
        return RefusedItem(name, error)


def _parse_glyph(fields: dict[str, Any]) -> tuple[Glyph, bytes]:
    if "ink" in fields:
        ink = items.ink_from_json(fields["ink"])
        return Glyph(ink=ink), encode_ink(ink)
    image = items.get_bytes(fields, "image")
    return Glyph(image=image, synthetic=fields.get("synthetic") is True), image
