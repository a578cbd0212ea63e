"""A list of pages on the command line, such as 1,3-7,20-."""

from __future__ import annotations

import re

from haleganada_client.limits import MAX_PAGES_TEXT

_PART = re.compile(r"([1-9][0-9]{0,8})(-([1-9][0-9]{0,8})?)?")


def parse_page_list(text: str) -> str:
    """Return a list of numbers and ranges without spaces; a range without an end goes to the last page. Raise
    ValueError for anything else.
    """
    pages = "".join(text.split())
    for part in pages.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError("give page numbers from 1 and ranges, for example 1,3-7,20-")
        if match[3] and int(match[3]) < int(match[1]):
            raise ValueError(f"{part} ends before it begins; write {match[3]}-{match[1]}")
    if len(pages) > MAX_PAGES_TEXT:
        raise ValueError(f"the list is longer than {MAX_PAGES_TEXT:,} characters; use ranges")
    return pages
