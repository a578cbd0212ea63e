"""Converts rows of the tables to the core's dataclasses, and back."""

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
_EVENT_FIELDS, _SAMPLE_FIELDS = EVENT.split(", "), SAMPLE.split(", ")
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


def to_sample(row: Row) -> SampleRow:
    """Convert a row of the columns SAMPLE."""
    values = dict(zip(_SAMPLE_FIELDS, row, strict=True))
    values["embedding"] = np.frombuffer(values["embedding"], dtype="<f4")
    values["new_label"], values["correction"] = bool(values["new_label"]), bool(values["correction"])
    return SampleRow(**values)


def from_sample(sample: SampleRow) -> Row:
    """Convert back."""
    return (
        sample.sample_id, sample.label, sample.glyph_kind, sample.glyph, vector_bytes(sample.embedding),
        sample.embedder_hash, sample.loss, sample.predicted, sample.new_label, sample.correction,
        sample.predicted_revision, sample.time_us, sample.revision,
    )  # fmt: skip


def vector_bytes(embedding: NDArray[np.float32]) -> bytes:
    """Return the 4 d bytes of a (d,) embedding, little-endian on every machine."""
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()
