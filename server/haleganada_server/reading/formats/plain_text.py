"""Plain text in UTF-8; a form feed parts the pages."""

from __future__ import annotations

from pathlib import Path

from .kept import KeptReading
from .texts import clean_text


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    with target.open("w", encoding="utf-8", newline="\n") as file:
        for number, page in enumerate(reading.pages()):
            file.write("\f" * bool(number) + clean_text(page.text))
    return f"{reading.stem}.txt", "text/plain; charset=utf-8"
