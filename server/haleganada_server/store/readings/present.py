"""What a page says now, where that is not what it said at first: page-00001.present, a line of JSON.

It is derived: after a kill or on a full disk it may be behind, until somebody reads the page again. Its revision tells
whether it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from haleganada_server.core.limits import EXCERPT_LENGTH
from haleganada_server.core.reading.codec import page_from_json
from haleganada_server.core.reading.ports import PresentText

from .description import page_name
from .journal import journal_name

PRESENT = ".present"


def present_name(page: int) -> str:
    """Return the name of the file that has what a page says now. page: from 1."""
    return f"page-{page:05}{PRESENT}"


def cut_beginning(text: str) -> str:
    """Return as much of a page's text as an excerpt may have of it."""
    return text[:EXCERPT_LENGTH].strip()


def has_present_text(folder: Path) -> bool:
    """Return whether some page of a reading has been noted."""
    return any(folder.glob(f"page-*{PRESENT}"))


def join_beginnings(beginnings: Sequence[str]) -> str:
    """Return the excerpt of a reading. beginnings: of its pages, in order."""
    return "\n".join(text for text in beginnings if text)[:EXCERPT_LENGTH]


def write_present(path: Path, text: PresentText) -> None:
    """Write what a page says now. Raises OSError."""
    path.write_text(encode_present(text), encoding="utf-8")


def encode_present(text: PresentText) -> str:
    """Return what a page says now as a text."""
    fields = {"revision": text.revision, "beginning": cut_beginning(text.beginning), "runs": text.runs}
    return json.dumps(fields, ensure_ascii=False)


def parse_present(text: str | bytes) -> PresentText:
    """Return what encode_present has written. Raises ValueError, KeyError or TypeError for any other text."""
    fields = json.loads(text)
    runs = tuple(tuple(str(token) for token in run) for run in fields["runs"])
    return PresentText(int(fields["revision"]), str(fields["beginning"]), runs)


def load_present(folder: Path, page: int) -> PresentText | None:
    """Return what was noted of a page; None if nothing was. Raises OSError, ValueError, KeyError or TypeError for a
    file that has changed since it was written.
    """
    path = folder / present_name(page)
    if not path.exists():
        return None
    return parse_present(path.read_bytes())


def is_up_to_date(folder: Path, page: int, text: PresentText) -> bool:
    """Return whether all corrections of a page had been made when it was noted."""
    journal = folder / journal_name(page)
    return text.revision == (journal.read_bytes().count(b"\n") if journal.exists() else 0)


def load_excerpt(folder: Path, pages: Sequence[int]) -> str:
    """Return the excerpt of a reading as its pages read now. Raises as load_present does."""
    found: list[str] = []
    for page in pages:
        noted = load_present(folder, page)
        first = folder / page_name(page)
        found.append(cut_beginning(noted.beginning if noted else page_from_json(json.loads(first.read_bytes())).text))
        if sum(map(len, found)) >= EXCERPT_LENGTH:
            break
    return join_beginnings(found)
