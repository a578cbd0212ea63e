"""The beginning of a page's present text, where that is not the text of the first reading: page-00001.beginning.

It is derived: after a kill or on a full disk it may be behind, until somebody reads the page again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from haleganada_server.core.limits import EXCERPT_LENGTH
from haleganada_server.core.reading.codec import page_from_json

from .description import page_name

BEGINNING = ".beginning"


def beginning_name(page: int) -> str:
    """Return the name of the file that has the beginning of a page's present text. page: from 1."""
    return f"page-{page:05}{BEGINNING}"


def cut_beginning(text: str) -> str:
    """Return as much of a page's text as an excerpt may have of it."""
    return text[:EXCERPT_LENGTH].strip()


def has_beginnings(folder: Path) -> bool:
    """Return whether some page of a reading has a text of its own by now."""
    return any(folder.glob(f"page-*{BEGINNING}"))


def join_beginnings(beginnings: Sequence[str]) -> str:
    """Return the excerpt of a reading. beginnings: of its pages, in order."""
    return "\n".join(text for text in beginnings if text)[:EXCERPT_LENGTH]


def load_excerpt(folder: Path, pages: Sequence[int]) -> str:
    """Return the excerpt of a reading as its pages read now. Raises OSError, ValueError, KeyError or TypeError for
    files that are not as they were written.
    """
    found: list[str] = []
    for page in pages:
        found.append(load_beginning(folder, page))
        if sum(map(len, found)) >= EXCERPT_LENGTH:
            break
    return join_beginnings(found)


def load_beginning(folder: Path, page: int) -> str:
    """Return the beginning of a page as it reads now. Raises as load_excerpt does."""
    path = folder / beginning_name(page)
    if path.exists():
        return cut_beginning(path.read_text(encoding="utf-8"))
    return cut_beginning(page_from_json(json.loads((folder / page_name(page)).read_bytes())).text)
