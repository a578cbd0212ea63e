"""JSON lines: one object for each sample, for people and scripts. {"label": …, "ink": {…}} or {"label": …, "image":
base64 PNG}.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.ink_codec import decode_ink, encode_ink
from haleganada_server.core.ports import ImportItem, InkReader, SampleRow, WorkspaceLog
from haleganada_server.core.types import Glyph, Refused

from . import items

_MAX_LINE = 16 * 2**20


def write(log: WorkspaceLog, ink: InkReader, path: Path) -> None:
    """Write one line for each sample."""
    del ink  # drawings go as they are stored
    links = log.links()
    with path.open("w", encoding="utf-8") as file:
        for sample in log.every_sample():
            file.write(json.dumps(_described(sample, links), ensure_ascii=False) + "\n")


def read(path: Path) -> Iterator[ImportItem | Refused]:
    """One item or refusal for each line that is not empty."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MAX_LINE):
            number += 1
            if line.strip():
                yield _item(f"line {number}", line)


def _described(sample: SampleRow, links: dict[str, str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"sample_id": sample.sample_id, "label": sample.label, "time_us": sample.time_us}
    if sample.label in links:
        facts["variant_of"] = links[sample.label]
    if sample.glyph_kind == "ink":
        facts["ink"] = items.ink_as_json(decode_ink(sample.glyph))
    else:
        facts["image"] = base64.b64encode(sample.glyph).decode()
    return facts


def _item(name: str, line: bytes) -> ImportItem | Refused:
    try:
        facts = json.loads(line)
        label, time_us = str(facts["label"]), int(facts.get("time_us", 0))
        glyph, drawing = _glyph(facts)
        variant_of = str(facts.get("variant_of") or "")
        return ImportItem(name, label, variant_of, glyph, items.key(label, drawing, time_us), time_us=time_us)
    except InvalidInput as error:
        return Refused(name, error)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return Refused(name, InvalidInput("file", "is not a JSON object with a label and an ink or image"))


def _glyph(facts: dict[str, Any]) -> tuple[Glyph, bytes]:
    if "ink" in facts:
        ink = items.ink_from_json(facts["ink"])
        return Glyph(ink=ink), encode_ink(ink)
    image = base64.b64decode(facts["image"], validate=True)
    return Glyph(image=image), image
