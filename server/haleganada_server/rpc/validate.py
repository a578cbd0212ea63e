"""What the contract says of numbers, sizes and ids, checked before the domain is asked. Labels and drawings are
checked where they are read.
"""

from __future__ import annotations

import re
from collections.abc import Sized

from haleganada_server.core.errors import InvalidInput

MAX_BATCH = 256
MAX_TOP_K, DEFAULT_TOP_K = 50, 5
MAX_PAGE, DEFAULT_PAGE = 500, 50
MAX_HISTORY, DEFAULT_HISTORY = 10_000, 500
MAX_ID_LENGTH = 64
MAX_WAIT_MS = 60_000
MAX_STROKES, MAX_POINTS = 1_000, 100_000

_SHA256 = re.compile("[0-9a-fA-F]{64}")


def top_k(value: int) -> int:
    """1 to 50; 0 means 5."""
    if not 0 <= value <= MAX_TOP_K:
        raise InvalidInput("top_k", f"is {value}; give 1 to {MAX_TOP_K}, or 0 for {DEFAULT_TOP_K}")
    return value or DEFAULT_TOP_K


def page_size(value: int) -> int:
    """1 to 500, more is cut; 0 means 50."""
    if value < 0:
        raise InvalidInput("page_size", f"is {value}; give 1 to {MAX_PAGE}, or 0 for {DEFAULT_PAGE}")
    return min(value, MAX_PAGE) or DEFAULT_PAGE


def wait_learned(milliseconds: int) -> float:
    """Seconds, 0 to 60."""
    if not 0 <= milliseconds <= MAX_WAIT_MS:
        raise InvalidInput("wait_learned_ms", f"is {milliseconds}; give 0 to {MAX_WAIT_MS:,}")
    return milliseconds / 1000


def history_points(value: int | None) -> int:
    """0 to 10,000; None means 500."""
    if value is None:
        return DEFAULT_HISTORY
    if not 0 <= value <= MAX_HISTORY:
        raise InvalidInput("history_points", f"is {value}; give 0 to {MAX_HISTORY:,}")
    return value


def batch(field: str, items: Sized) -> None:
    """1 to 256 items."""
    if not 1 <= len(items) <= MAX_BATCH:
        raise InvalidInput(field, f"has {len(items)} items; send 1 to {MAX_BATCH} in a call")


def request_id(value: str) -> str:
    """At most 64 characters, "" for none."""
    return _short("request_id", value)


def required_id(field: str, value: str) -> str:
    """1 to 64 characters."""
    if not value:
        raise InvalidInput(field, "is missing; say which one")
    return _short(field, value)


def sample_id(value: int) -> int:
    """1 or more."""
    if value < 1:
        raise InvalidInput("sample_id", f"is {value}; give the number of a sample, 1 or more")
    return value


def model(reference: str) -> str:
    """At most 64 characters, "" for what the workspace answers with."""
    return _short("model", reference)


def sha256(field: str, value: str) -> str:
    """A hash in hexadecimal, in lower case."""
    if not _SHA256.fullmatch(value):
        raise InvalidInput(field, "is not a SHA-256, which has 64 hexadecimal digits")
    return value.lower()


def count(field: str, value: int, most: int) -> int:
    """0, which stands for a default, to `most`."""
    if not 0 <= value <= most:
        raise InvalidInput(field, f"is {value}; give 1 to {most}, or 0 for the default")
    return value


def ink_size(strokes: int, points: int) -> None:
    """Checked before points are unpacked, which takes far more memory than the message did."""
    if strokes > MAX_STROKES or points > MAX_POINTS:
        raise InvalidInput(
            "glyph.ink",
            f"has {strokes:,} strokes and {points:,} points; at most {MAX_STROKES:,} and {MAX_POINTS:,} are allowed",
        )


def _short(field: str, value: str) -> str:
    if len(value) > MAX_ID_LENGTH:
        raise InvalidInput(field, f"has {len(value):,} characters; at most {MAX_ID_LENGTH} are allowed")
    return value


def named(field: str, value: str) -> None:
    """Not empty, where a default would be dangerous."""
    if not value:
        raise InvalidInput(field, "is missing; say which one")
