"""Text for people: columns that stay aligned with any script, bars, sizes; nothing that a terminal would obey."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Sequence
from datetime import datetime

_EIGHTHS = " ▏▎▍▌▋▊▉"
_JOINERS = "\u200c\u200d"  # they shape Kannada's conjuncts


def printable(text: str) -> str:
    """The text without control characters, which could move a terminal's cursor or hide what a file is called."""
    return "".join(char if char.isprintable() or char in _JOINERS else "\ufffd" for char in text)


def width(text: str) -> int:
    """Columns that a terminal gives to a text: marks take none, East Asian wide characters two."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def table(rows: Sequence[Sequence[str]], header: Sequence[str] = (), right: Container[int] = ()) -> str:
    """Rows as aligned columns. right: the columns, from 0, that hold numbers and end flush."""
    everything = [[printable(cell) for cell in row] for row in ([header] if header else []) + list(rows)]
    if not everything:
        return ""
    widths = [max(width(row[i]) for row in everything) for i in range(len(everything[0]))]
    return "\n".join(_line(row, widths, right) for row in everything)


def _line(row: Sequence[str], widths: Sequence[int], right: Container[int]) -> str:
    cells = []
    for i, (cell, columns) in enumerate(zip(row, widths, strict=True)):
        blank = " " * (columns - width(cell))
        cells.append(blank + cell if i in right else cell + blank)
    return "  ".join(cells).rstrip()


def bar(share: float, columns: int = 20) -> str:
    """A bar for 0..1, to an eighth of a column."""
    eighths = round(max(0.0, min(1.0, share)) * columns * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(columns)


def percent(share: float | None) -> str:
    """For example "97.3 %"; "-" where there is nothing to tell. Only what is certain is 100 %, only nothing is 0 %."""
    if share is None:
        return "-"
    if 0 < share < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def counted(count: int, noun: str) -> str:
    """For example "1 label", "1,200 labels"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def moment(time: datetime) -> str:
    """In this machine's time zone, to the second."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
