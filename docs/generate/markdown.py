"""Pieces of Markdown that the reference pages share."""

from __future__ import annotations

from collections.abc import Sequence


def code_block(text: str, language: str = "") -> str:
    """Return a fenced block of code."""
    return f"```{language}\n{text}\n```"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; each cell takes one line, and its vertical bars are escaped."""
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    lines = [header, ["---"] * len(header), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def anchor(title: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return "".join(char for char in title.lower().replace(" ", "-") if char.isalnum() or char in "-_")
