"""Text for people: columns that align in any script, bars, sizes; without characters that control a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Sequence
from datetime import datetime

_EIGHTHS = " ▏▎▍▌▋▊▉"
_JOINERS = "\u200c\u200d"  # they shape Kannada's conjuncts


def printable(text: str) -> str:
    """Replace control characters, which could move a terminal's cursor or disguise a file's name."""
    return "".join(char if char.isprintable() or char in _JOINERS else "\ufffd" for char in text)


def printable_lines(text: str) -> str:
    """Do the same line by line, without the last line break."""
    return "\n".join(map(printable, text.splitlines()))


def display_width(text: str) -> int:
    """Return the columns of a text in a terminal: combining marks take none, wide East Asian characters two."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def format_table(rows: Sequence[Sequence[str]], header: Sequence[str] = (), right: Container[int] = ()) -> str:
    """Format rows as aligned columns. right: the columns, counted from 0, to align to the right."""
    cells = [[printable(cell) for cell in row] for row in ([header] if header else []) + list(rows)]
    if not cells:
        return ""
    widths = [max(display_width(row[i]) for row in cells) for i in range(len(cells[0]))]
    return "\n".join(_format_row(row, widths, right) for row in cells)


def _format_row(row: Sequence[str], widths: Sequence[int], right: Container[int]) -> str:
    cells = []
    for i, (cell, columns) in enumerate(zip(row, widths, strict=True)):
        padding = " " * (columns - display_width(cell))
        cells.append(padding + cell if i in right else cell + padding)
    return "  ".join(cells).rstrip()


def format_bar(share: float, columns: int = 20) -> str:
    """Format 0..1 as a bar, precise to an eighth of a column."""
    eighths = round(max(0.0, min(1.0, share)) * columns * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(columns)


def format_percent(share: float | None) -> str:
    """Format 0..1, for example as "97.3 %"; None as "-". Only 1 itself becomes 100 %, and only 0 becomes 0 %."""
    if share is None:
        return "-"
    if 0 < share < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def format_count(count: int, noun: str) -> str:
    """Format a number with its noun, for example "1 label", "1,200 labels"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_size(size: float) -> str:
    """Format a number of bytes, for example "1.2 MB"."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def format_time(time: datetime) -> str:
    """Format a time in this machine's time zone, to the second."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def format_duration(seconds: float) -> str:
    """Format a duration, for example "8 s", "3 min 20 s", "2 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
