"""The reading and its pages as JSON, with the names of the contract; docs/using/reading.md describes the layout."""

from __future__ import annotations

import json
from pathlib import Path

from haleganada_server.core.reading.codec import page_to_json

from .kept import KeptReading

_VERSION = 1


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    # Half surrogate pairs, which UTF-8 does not have, become question marks.
    with target.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        name = json.dumps(reading.file_name, ensure_ascii=False)
        file.write(f'{{"format": "haleganada-reading", "version": {_VERSION}, "file_name": {name}, "pages": [')
        for number, page in enumerate(reading.pages()):
            file.write(",\n"[not number :] + json.dumps(page_to_json(page), ensure_ascii=False))
        file.write("\n]}\n")
    return f"{reading.stem}.json", "application/json"
