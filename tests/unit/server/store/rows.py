"""Rows and events for tests of the store, in which the drawings do not matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from haleganada_server.core.glyphs.ink_codec import encode_ink
from haleganada_server.core.glyphs.types import Ink, Stroke
from haleganada_server.core.sample_log.ports import LogTransaction, WorkspaceLog
from haleganada_server.core.sample_log.rows import ChangeKind, Event, SampleRow
from haleganada_server.vision import PillowRasterizer
from numpy.typing import NDArray

DIM = 8
HASH = "e" * 64
START_US = 1_734_359_422_123_456  # 2024-12-16 14:30:22.123456 UTC


def ink(number: int) -> Ink:
    """Return a zigzag, a different one for each number."""
    corners = np.random.default_rng(number).uniform(10, 90, (5, 2))
    return Ink((Stroke(tuple(corners[:, 0]), tuple(corners[:, 1])),), 100.0, 100.0)


def png(number: int) -> bytes:
    """Return an encoded raster, a different one for each number."""
    rasters = np.zeros((128, 128), dtype=np.uint8)
    rasters[20:100, 20 + number % 60 : 30 + number % 60] = 255
    return PillowRasterizer().to_png(rasters)


def sample(sample_id: int, label: str = "ಅ", kind: str = "ink", revision: int = 0) -> SampleRow:
    """Return the sample with this number, always the same one."""
    glyph = encode_ink(ink(sample_id)) if kind == "ink" else png(sample_id)
    embedding = np.random.default_rng(sample_id).normal(size=DIM).astype(np.float32)
    return SampleRow(
        sample_id=sample_id,
        label=label,
        glyph_kind=kind,
        glyph=glyph,
        embedding=embedding,
        embedder_hash=HASH,
        loss=0.5 * sample_id,
        predicted="ಆ",
        new_label=sample_id == 1,
        correction=False,
        predicted_revision=0,
        time_us=START_US + sample_id,
        revision=revision or sample_id,
    )


def teach(transaction: LogTransaction, label: str = "ಅ", request_id: str = "", kind: str = "ink") -> int:
    """Write what the core writes for one taught sample, and return its sample_id."""
    sample_id = transaction.next_sample_id()
    event = Event(
        kind=ChangeKind.TEACH,
        time_us=START_US + sample_id,
        request_id=request_id,
        payload_hash=b"hash",
        client="tester",
        sample_id=sample_id,
        label=label,
    )
    transaction.add_sample(sample(sample_id, label, kind, transaction.append(event)))
    return sample_id


def forget(transaction: LogTransaction, sample_id: int) -> None:
    """Write what the core writes when a sample is forgotten."""
    transaction.set_forgotten(sample_id, True)
    transaction.append(Event(ChangeKind.FORGET, START_US, sample_id=sample_id))


def link(transaction: LogTransaction, form: str, canonical: str) -> None:
    """Write what the core writes when a form is linked."""
    transaction.set_canonical(form, canonical)
    transaction.append(Event(ChangeKind.LINK, START_US, label=form, canonical=canonical))


def teach_all(log: WorkspaceLog, labels: Sequence[str]) -> None:
    """Write one sample for each label, in one commit."""
    with log.transaction() as transaction:
        for label in labels:
            teach(transaction, label)


def read_embeddings(
    log: WorkspaceLog, embedder_hash: str = HASH, newest: int | None = None
) -> tuple[list[int], list[str], NDArray[np.float32]]:
    """Return sample_ids, labels and embeddings of all blocks; (0, 0) embeddings without samples."""
    blocks = list(log.embeddings(embedder_hash, newest))
    return (
        [sample_id for block in blocks for sample_id in block.sample_ids],
        [label for block in blocks for label in block.labels],
        np.concatenate([block.embeddings for block in blocks]) if blocks else np.zeros((0, 0), dtype=np.float32),
    )


def assert_same(one: SampleRow | None, other: SampleRow | None) -> None:
    """Check that two samples are equal in every field."""
    assert one is not None and other is not None
    for field in SampleRow.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


def restore_event(revision: int = 0) -> Event:
    return Event(ChangeKind.RESTORE, START_US, revision=revision)


def reset_event(revision: int = 0) -> Event:
    return Event(ChangeKind.RESET, START_US, revision=revision)
