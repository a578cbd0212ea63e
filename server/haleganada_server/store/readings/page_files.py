"""The files of one page in the folder of a reading. All functions raise BadZipFile, or what BROKEN_READING has, for
files that are not as they were written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from haleganada_server.core.reading.codec import page_from_json, page_to_json
from haleganada_server.core.reading.corrections.corrections import JournalEntry
from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.taught.page import TaughtPage
from haleganada_server.store import files

from .description import DOCUMENT, load_description, name_taught_file, page_name, require_intact_file
from .journal import journal_name, load_journal


def load_page(folder: Path, page: int) -> PageReading:
    """Load a page as it was read at first."""
    require_intact_file(folder, page_name(page), load_description(folder).sha256)
    return page_from_json(json.loads((folder / page_name(page)).read_bytes()))


def load_taught_page(folder: Path, page: int) -> TaughtPage | None:
    """Load a page as it was taken apart; None if there is no such file."""
    name, sha256 = name_taught_file(page), load_description(folder).sha256
    if name not in sha256:
        return None
    require_intact_file(folder, name, sha256)
    return TaughtPage.from_bytes((folder / name).read_bytes())


def load_corrections(folder: Path, page: int) -> list[JournalEntry]:
    """Load all corrections of a page."""
    return load_journal(folder / journal_name(page))


def copy_with_pages(folder: Path, copy: Path, pages: Sequence[PageReading]) -> None:
    """Make a folder that is as another, but with these pages, and without what only corrections need."""
    copy.mkdir()
    files.link(folder / DOCUMENT, copy / DOCUMENT)
    for page in pages:
        text = json.dumps(page_to_json(page), ensure_ascii=False)
        (copy / page_name(page.page)).write_text(text, encoding="utf-8")
