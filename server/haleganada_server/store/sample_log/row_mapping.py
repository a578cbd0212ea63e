"""Rows of the tables as the core's dataclasses, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.sample_log.rows import ChangeKind, Event, SampleRow

EVENT = (
    "kind, time_us, request_id, payload_hash, client, sample_id, label, previous, canonical, target, answer, revision, "
    "undone_by"
)
SAMPLE = (
    "sample_id, label, glyph_kind, glyph, embedding, embedder_hash, loss, predicted, new_label, correction, "
    "predicted_revision, time_us, revision"
)
Row = tuple[Any, ...]


def to_event(row: Row) -> Event:
    """A row of the columns EVENT."""
    kind, time_us, request_id, payload_hash, *rest = row
    return Event(ChangeKind(kind), time_us, request_id or "", payload_hash or b"", *rest)


def from_event(event: Event, revision: int) -> Row:
    """The inverse. No request_id is stored as NULL, of which there may be many."""
    return (
        event.kind.value, event.time_us, event.request_id or None, event.payload_hash, event.client, event.sample_id,
        event.label, event.previous, event.canonical, event.target, event.answer, revision, event.undone_by,
    )  # fmt: skip


def to_sample(row: Row) -> SampleRow:
    """A row of the columns SAMPLE."""
    sample_id, label, kind, glyph, vector, embedder, loss, predicted, new_label, correction, *rest = row
    facts = (loss, predicted, bool(new_label), bool(correction))
    return SampleRow(sample_id, label, kind, glyph, np.frombuffer(vector, dtype="<f4"), embedder, *facts, *rest)


def from_sample(sample: SampleRow) -> Row:
    """The inverse."""
    return (
        sample.sample_id, sample.label, sample.glyph_kind, sample.glyph, vector_bytes(sample.embedding),
        sample.embedder_hash, sample.loss, sample.predicted, sample.new_label, sample.correction,
        sample.predicted_revision, sample.time_us, sample.revision,
    )  # fmt: skip


def vector_bytes(embedding: NDArray[np.float32]) -> bytes:
    """(d,) -> 4 d bytes, little-endian on every machine."""
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()
