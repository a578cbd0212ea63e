"""Lists of pages as people write them, such as “1,3-7,20-”."""

from __future__ import annotations

import re
from dataclasses import dataclass

from haleganada_server.core.errors import InvalidInput, NotFound
from haleganada_server.core.limits import MAX_PAGES, MAX_PAGES_TEXT

_PART = re.compile(r"([0-9]{1,9})(?:\s*(-)\s*([0-9]{1,9})?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PageList:
    """ranges: first and last page, from 1; the last is None where the range is open."""

    ranges: tuple[tuple[int, int | None], ...]

    def choose(self, pages_total: int) -> list[int]:
        """Return the pages that are meant in a document with so many, in order, each once. A range may go beyond the
        end of the document. Raises NotFound if nothing of a range is in it.
        """
        chosen: set[int] = set()
        for first, last in self.ranges:
            if first > pages_total:
                pages = "1 page" if pages_total == 1 else f"{pages_total:,} pages"
                raise NotFound("page", str(first), f"the document has {pages}")
            chosen.update(range(first, min(last or pages_total, pages_total) + 1))
        return sorted(chosen)


ALL_PAGES = PageList(((1, None),))


def parse_pages(text: str) -> PageList:
    """Parse numbers and ranges, parted by commas; "" means all pages. Raises InvalidInput."""
    if not text.strip():
        return ALL_PAGES
    if len(text) > MAX_PAGES_TEXT:
        raise InvalidInput("pages", f"has {len(text):,} characters; at most {MAX_PAGES_TEXT:,} are allowed")
    return PageList(tuple(_parse_part(part.strip()) for part in text.split(",")))


def _parse_part(part: str) -> tuple[int, int | None]:
    match = _PART.fullmatch(part)
    if match is None:
        raise InvalidInput("pages", f"has “{part[:20]}”; give numbers and ranges, for example 1,3-7,20-")
    first = int(match[1])
    last = first if match[2] is None else int(match[3]) if match[3] else None
    if not 1 <= first <= (last or MAX_PAGES):
        raise InvalidInput("pages", f"has “{part}”; pages are numbered from 1, and a range begins with the smaller one")
    return first, last
