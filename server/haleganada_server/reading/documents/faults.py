"""What can be wrong with a document, as errors that tell what to do next."""

from __future__ import annotations

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, NotFound, Precondition
from haleganada_server.core.limits import MAX_PAGE_PIXELS, MAX_PAGES

CUT_OFF = "is cut off or damaged; send the whole file again"


def unreadable(fault: str) -> Precondition:
    """fault: what is wrong and what to do, as the rest of a sentence about the document."""
    return Precondition(f"the document {fault}", Reason.DOCUMENT_UNREADABLE)


def unreadable_page(page: int, fault: str = CUT_OFF) -> Precondition:
    return Precondition(f"page {page} of the document {fault}", Reason.DOCUMENT_UNREADABLE)


def encrypted() -> Precondition:
    return Precondition(
        "the document is protected by a password; remove it, for example by printing the document to a new PDF",
        Reason.DOCUMENT_ENCRYPTED,
    )


def no_such_page(page: int, pages_total: int) -> NotFound:
    pages = "1 page" if pages_total == 1 else f"{pages_total} pages"
    return NotFound("page", str(page), f"the document has {pages}")


def too_many_pages() -> Exhausted:
    return Exhausted(
        f"the document has more than {MAX_PAGES} pages; split it into smaller ones", Reason.DOCUMENT_TOO_LARGE
    )


def too_many_pixels(page: int) -> Exhausted:
    return Exhausted(
        f"page {page} of the document has a picture of more than {MAX_PAGE_PIXELS // 10**6} megapixels; save it "
        "smaller",
        Reason.DOCUMENT_TOO_LARGE,
    )


def too_intricate(page: int, seconds: float) -> Exhausted:
    return Exhausted(
        f"page {page} of the document could not be drawn within {seconds:.0f} seconds; save it as a picture",
        Reason.DOCUMENT_TOO_LARGE,
    )


def check_pixels(page: int, width: int, height: int) -> None:
    """Raise what a page of this size deserves: unreadable if it is empty, Exhausted if it is too large."""
    if width < 1 or height < 1:
        raise unreadable_page(page, "is empty; save it with some width and height")
    if width * height > MAX_PAGE_PIXELS:
        raise too_many_pixels(page)
