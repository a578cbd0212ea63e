"""What the contract says about numbers, sizes and ids, checked before the domain is asked. Labels and drawings are
checked where they are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Sized

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import (
    DEFAULT_HISTORY_POINTS,
    DEFAULT_PAGE_SIZE,
    DEFAULT_TOP_K,
    ENSEMBLE_MODELS,
    HISTORY_POINTS,
    KEPT_SNAPSHOTS,
    MAX_BATCH_ITEMS,
    MAX_DOCUMENT_BYTES,
    MAX_FILE_NAME_LENGTH,
    MAX_ID_LENGTH,
    MAX_POINTS,
    MAX_STROKES,
    PAGE_SIZE,
    SCRIPT_LABELS,
    SNAPSHOT_AGE_S,
    TOP_K,
    WAIT_LEARNED_MS,
    Range,
)

_SHA256 = re.compile("[0-9a-fA-F]{64}")


def top_k(value: int) -> int:
    """Check top_k: 1 to 50; 0 means 5."""
    if value and not TOP_K.includes(value):
        raise InvalidInput("top_k", f"is {value}; give {TOP_K}, or 0 for {DEFAULT_TOP_K}")
    return value or DEFAULT_TOP_K


def script_labels(value: int) -> int:
    """Check a number of letters of a script: 0 to 1,000,000; 0 means that it is not known."""
    if not SCRIPT_LABELS.includes(value):
        raise InvalidInput("script_labels", f"is {value}; give {SCRIPT_LABELS}, 0 if it is not known")
    return value


def page_size(value: int) -> int:
    """Check a page size: 1 to 500, more is cut; 0 means 50."""
    if value < 0:
        raise InvalidInput("page_size", f"is {value}; give {PAGE_SIZE}, or 0 for {DEFAULT_PAGE_SIZE}")
    return min(value, PAGE_SIZE.maximum) or DEFAULT_PAGE_SIZE


def wait_learned(milliseconds: int) -> float:
    """Return the seconds to wait, 0 to 60."""
    if not WAIT_LEARNED_MS.includes(milliseconds):
        raise InvalidInput("wait_learned_ms", f"is {milliseconds}; give {WAIT_LEARNED_MS}")
    return milliseconds / 1000


def history_points(value: int | None) -> int:
    """Check a number of history points: 0 to 10,000; None means 500."""
    if value is None:
        return DEFAULT_HISTORY_POINTS
    if not HISTORY_POINTS.includes(value):
        raise InvalidInput("history_points", f"is {value}; give {HISTORY_POINTS}")
    return value


def kept_snapshots(value: int | None) -> int | None:
    """Check how many snapshots to keep: 0 to 1,000,000."""
    if value is not None and not KEPT_SNAPSHOTS.includes(value):
        raise InvalidInput("keep", f"is {value}; give {KEPT_SNAPSHOTS}")
    return value


def snapshot_age(seconds: int | None) -> int | None:
    """Check an age of snapshots: 0 to 1,000,000,000 s."""
    if seconds is not None and not SNAPSHOT_AGE_S.includes(seconds):
        raise InvalidInput("older_than_seconds", f"is {seconds}; give {SNAPSHOT_AGE_S}")
    return seconds


def batch(field: str, items: Sized) -> None:
    """Check that a batch has 1 to 256 items."""
    if not 1 <= len(items) <= MAX_BATCH_ITEMS:
        raise InvalidInput(field, f"has {len(items)} items; send 1 to {MAX_BATCH_ITEMS} in a call")


def request_id(value: str) -> str:
    """At most 64 characters, "" for none."""
    return _short("request_id", value)


def required_id(field: str, value: str) -> str:
    """Check an id that must be given: 1 to 64 characters."""
    if not value:
        raise InvalidInput(field, "is missing; say which one")
    return _short(field, value)


def batch_id(value: str) -> str:
    """At most 64 characters, "" for none."""
    return _short("batch_id", value)


def sample_id(value: int) -> int:
    """Check the number of a sample: 1 or more."""
    if value < 1:
        raise InvalidInput("sample_id", f"is {value}; give the number of a sample, 1 or more")
    return value


def models(model: str, several: Sequence[str]) -> str | tuple[str, ...]:
    """Return the model, or models together, that a request asks: at most 64 characters each, "" for what the workspace
    answers with.
    """
    if not several:
        return _short("model", model)
    if model:
        raise InvalidInput("models", "cannot be given together with model; give one of the two")
    if not ENSEMBLE_MODELS.includes(len(several)) or len(set(several)) < len(several):
        raise InvalidInput("models", f"must name {ENSEMBLE_MODELS} different models")
    return tuple(required_id("models", name) for name in several)


def sha256(field: str, value: str) -> str:
    """Return a hexadecimal hash in lower case."""
    if not _SHA256.fullmatch(value):
        raise InvalidInput(field, "is not a SHA-256, which has 64 hexadecimal digits")
    return value.lower()


def count(field: str, value: int, allowed: Range[int], default: int) -> int:
    """Check that a number is in its range; 0 means the default."""
    if value and not allowed.includes(value):
        raise InvalidInput(field, f"is {value}; give {allowed}, or 0 for {default}")
    return value or default


def ink_size(strokes: int, points: int) -> None:
    """Check the size of ink before its points are unpacked, which takes far more memory than the message."""
    if strokes > MAX_STROKES or points > MAX_POINTS:
        raise InvalidInput(
            "glyph.ink",
            f"has {strokes:,} strokes and {points:,} points; at most {MAX_STROKES:,} and {MAX_POINTS:,} are allowed",
        )


def document(data: bytes) -> None:
    """Check the size of a document that comes in one message: 1 byte to 15 MiB."""
    if not data:
        raise InvalidInput("document", "is missing; send the bytes of an image or a PDF")
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InvalidInput(
            "document",
            f"has {len(data):,} bytes; at most {MAX_DOCUMENT_BYTES:,} are allowed here, larger ones go through "
            "ReadStream",
        )


def file_name(value: str) -> str:
    """Return the name of a file without its folders, whatever system it comes from; "" for none."""
    name = re.split(r"[/\\]", value)[-1]
    name = "".join(character for character in name if character.isprintable()).strip()
    if len(name) > MAX_FILE_NAME_LENGTH:
        raise InvalidInput("file_name", f"has {len(name):,} characters; at most {MAX_FILE_NAME_LENGTH} are allowed")
    return "" if name in (".", "..") else name


def _short(field: str, value: str) -> str:
    if len(value) > MAX_ID_LENGTH:
        raise InvalidInput(field, f"has {len(value):,} characters; at most {MAX_ID_LENGTH} are allowed")
    return value


def named(field: str, value: str) -> None:
    """Check that a name is given where a default would be dangerous."""
    if not value:
        raise InvalidInput(field, "is missing; say which one")
