"""Converts rows of the tables to the core's dataclasses, and back."""

from __future__ import annotations

import sqlite3
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.sample_log.rows import ChangeKind, Event, SampleRow

from .integrity.checks import CHECKED_FACTS, UNREADABLE, RowChecks

EVENT = (
    "kind, time_us, request_id, payload_hash, client, sample_id, label, previous, canonical, target, answer, revision, "
    "undone_by"
)
SAMPLE = (
    "sample_id, label, glyph_kind, glyph, embedding, embedder_hash, loss, predicted, new_label, correction, "
    "predicted_revision, time_us, revision"
)
_EVENT_FIELDS, _SAMPLE_FIELDS, _FACT_FIELDS = EVENT.split(", "), SAMPLE.split(", "), CHECKED_FACTS.split(", ")
_EMBEDDING = _SAMPLE_FIELDS.index("embedding")
_SAMPLE_ID, _FORGOTTEN = _FACT_FIELDS.index("sample_id"), _FACT_FIELDS.index("forgotten")
_get_sample_fields = attrgetter(*_SAMPLE_FIELDS)
_get_live_facts = attrgetter(*(name for name in _FACT_FIELDS if name != "forgotten"))
CHECKED_SAMPLE = f"{SAMPLE}, forgotten, facts_check, embedding_check, glyph_check"
Row = tuple[Any, ...]


def to_event(row: Row) -> Event:
    """Convert a row of the columns EVENT."""
    values = dict(zip(_EVENT_FIELDS, row, strict=True))
    values["kind"] = ChangeKind(values["kind"])
    values["request_id"], values["payload_hash"] = values["request_id"] or "", values["payload_hash"] or b""
    return Event(**values)


def from_event(event: Event, revision: int) -> Row:
    """Convert back. A missing request_id becomes NULL, since the column is unique."""
    return (
        event.kind.value, event.time_us, event.request_id or None, event.payload_hash, event.client, event.sample_id,
        event.label, event.previous, event.canonical, event.target, event.answer, revision, event.undone_by,
    )  # fmt: skip


def checked_event(event: Event, revision: int) -> Row:
    """Return the columns CHECKED_EVENT of a new event."""
    return (
        revision, event.time_us, event.sample_id, event.target, event.kind.value, event.request_id, event.client,
        event.label, event.previous, event.canonical, event.answer, event.payload_hash,
    )  # fmt: skip


def places(columns: str, more: int = 0) -> str:
    """Return the placeholders for the values of these columns, and of some more."""
    return ", ".join("?" * (len(columns.split(", ")) + more))


def to_sample(row: Row, checks: RowChecks) -> SampleRow:
    """Convert a row of the columns CHECKED_SAMPLE. A drawing that has changed since it was written becomes b"", which
    cannot be decoded. Raises sqlite3.DatabaseError for other values that are not as they were written.
    """
    *sample, forgotten, facts_check, embedding_check, glyph_check = row
    values = dict(zip(_SAMPLE_FIELDS, sample, strict=True))
    sample_id = values["sample_id"]
    try:
        sound = (
            checks.facts_check(_facts(values, forgotten)) == facts_check
            and checks.embedding_check(sample_id, values["embedder_hash"], values["embedding"]) == embedding_check
        )
        if checks.glyph_check(sample_id, values["glyph_kind"], values["glyph"]) != glyph_check:
            values["glyph"] = b""
        values["embedding"] = np.frombuffer(values["embedding"], dtype="<f4")
    except UNREADABLE:
        sound = False
    if not sound:
        raise sqlite3.DatabaseError(f"the row of sample {sample_id} is malformed")
    values["new_label"], values["correction"] = bool(values["new_label"]), bool(values["correction"])
    return SampleRow(**values)


def from_sample(sample: SampleRow, checks: RowChecks) -> Row:
    """Convert back a live sample."""
    embedding = vector_bytes(sample.embedding)
    values, facts = list(_get_sample_fields(sample)), list(_get_live_facts(sample))
    values[_EMBEDDING] = embedding
    facts.insert(_FORGOTTEN, 0)
    return (
        *values,
        False,
        checks.facts_check(facts),
        checks.embedding_check(sample.sample_id, sample.embedder_hash, embedding),
        checks.glyph_check(sample.sample_id, sample.glyph_kind, sample.glyph),
    )


def change_fact(row: Row, column: str, value: str | int, checks: RowChecks) -> tuple[bool, int]:
    """Return whether a column of the facts of a sample gets another value, and the new facts_check. row: the columns
    CHECKED_FACTS and facts_check. Raises sqlite3.DatabaseError if it has changed since it was written.
    """
    *facts, check = row
    if checks.facts_check(facts) != check:
        raise sqlite3.DatabaseError(f"the row of sample {facts[_SAMPLE_ID]} is malformed")
    place = _FACT_FIELDS.index(column)
    changed = bool(facts[place] != value)
    facts[place] = value
    return changed, checks.facts_check(facts)


def _facts(values: dict[str, Any], forgotten: int) -> list[Any]:
    return [forgotten if name == "forgotten" else values[name] for name in _FACT_FIELDS]


def vector_bytes(embedding: NDArray[np.float32]) -> bytes:
    """Return the 4 d bytes of a (d,) embedding, little-endian on every machine."""
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()
