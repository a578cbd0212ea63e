"""What can be wrong with a zip of words, as errors that tell what to do next."""

from __future__ import annotations

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, Precondition


def unusable(fault: str) -> Precondition:
    """fault: what is wrong and what to do, as the rest of a sentence about the zip."""
    return Precondition(f"the zip {fault}", Reason.DOCUMENT_UNREADABLE)


def bad_line(number: int, fault: str) -> Precondition:
    """fault: what is wrong with a line of words.txt and what to do, as the rest of a sentence about it."""
    return Precondition(f"line {number} of words.txt {fault}", Reason.DOCUMENT_UNREADABLE)


def too_large(fault: str) -> Exhausted:
    return Exhausted(f"the zip {fault}", Reason.DOCUMENT_TOO_LARGE)
