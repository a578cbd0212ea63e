"""Changes to one workspace's file that are committed together or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.sample_log.rows import UNDOABLE, Event, FollowedEvent, SampleRow

from . import row_mapping
from .integrity.checks import CHECKED_FACTS, RowChecks
from .mark import Mark

_UNDOABLE = ", ".join(f"'{kind.value}'" for kind in sorted(UNDOABLE, key=lambda kind: kind.value))

_ANY_REVISION = 2**63 - 1

_INSERT_EVENT = f"INSERT INTO events ({row_mapping.EVENT}, digest) VALUES ({row_mapping.places(row_mapping.EVENT, 1)})"
_INSERT_SAMPLE = (
    f"INSERT INTO samples ({row_mapping.CHECKED_SAMPLE}) VALUES ({row_mapping.places(row_mapping.CHECKED_SAMPLE)})"
)


class SqliteTransaction:
    """core.sample_log.ports.LogTransaction on a connection whose transaction is open."""

    def __init__(self, connection: sqlite3.Connection, checks: RowChecks, mark: Mark) -> None:
        """mark: how far the log has come before the transaction."""
        self._run, self._checks = connection.execute, checks
        self._mark, self._last_sample_id, self._samples_total = mark, mark.last_sample_id, mark.samples_total
        self._appended: tuple[int, bytes] | None = None
        """Revision and digest of the last event, if the transaction has one."""

    @property
    def mark(self) -> Mark:
        """How far the log has come with the changes so far."""
        revision, digest = self._appended or (self._mark.revision, self._mark.digest)
        return replace(
            self._mark,
            revision=revision,
            digest=digest,
            last_sample_id=self._last_sample_id,
            samples_total=self._samples_total,
        )

    def news(self, revision: int) -> Sequence[FollowedEvent]:
        del revision  # nobody else writes to the file
        return ()

    def find_event(self, request_id: str) -> Event | None:
        row = self._run(f"SELECT {row_mapping.EVENT} FROM events WHERE request_id = ?", (request_id,)).fetchone()
        return row_mapping.to_event(row) if row else None

    def append(self, event: Event) -> int:
        last, before = self._appended or self._find_newest()
        revision: int = max(last + 1, event.revision)
        digest = self._checks.event_digest(before, row_mapping.checked_event(event, revision))
        self._run(_INSERT_EVENT, (*row_mapping.from_event(event, revision), digest))
        self._appended = revision, digest
        return revision

    def _find_newest(self) -> tuple[int, bytes]:
        """Return revision and digest of the last event."""
        found = self._run("SELECT revision, digest FROM events ORDER BY revision DESC LIMIT 1").fetchone()
        return found or (0, self._checks.start)

    def add_sample(self, sample: SampleRow) -> None:
        self._run(_INSERT_SAMPLE, row_mapping.from_sample(sample, self._checks))
        self._last_sample_id = max(self._last_sample_id, sample.sample_id)
        self._samples_total += 1

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        query = f"SELECT {row_mapping.CHECKED_SAMPLE} FROM samples WHERE sample_id = ? AND forgotten = ?"
        row = self._run(query, (sample_id, forgotten)).fetchone()
        return row_mapping.to_sample(row, self._checks) if row else None

    def find_drawing(self, label: str, glyph_kind: str, glyph: bytes) -> int:
        query = (  # the length is known without reading the drawing, so that few are read
            "SELECT sample_id FROM samples WHERE forgotten = 0 AND label = ? AND length(glyph) = ? AND glyph = ? AND "
            "glyph_kind = ? ORDER BY sample_id LIMIT 1"
        )
        row = self._run(query, (label, len(glyph), glyph, glyph_kind)).fetchone()
        return int(row[0]) if row else 0

    def next_sample_id(self) -> int:
        return self._last_sample_id + 1

    def set_label(self, sample_id: int, label: str) -> None:
        self._set_fact(sample_id, "label", label)

    def set_forgotten(self, sample_id: int, forgotten: bool) -> None:
        if self._set_fact(sample_id, "forgotten", int(forgotten)):
            self._samples_total += -1 if forgotten else 1

    def set_canonical(self, form: str, canonical: str) -> None:
        self._run("DELETE FROM links WHERE form = ?", (form,))
        if canonical:
            self._run("INSERT INTO links (form, canonical) VALUES (?, ?)", (form, canonical))

    def set_embedding(self, sample_id: int, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        content = row_mapping.vector_bytes(embedding)
        check = self._checks.embedding_check(sample_id, embedder_hash, content)
        query = "UPDATE samples SET embedding = ?, embedder_hash = ?, embedding_check = ? WHERE sample_id = ?"
        self._run(query, (content, embedder_hash, check, sample_id))

    def distrust_embedding(self, sample_id: int) -> None:
        """Make a sample stale whose embedding is damaged, so that it is embedded again."""
        self.set_embedding(sample_id, np.zeros(0, dtype=np.float32), "")

    def last_change(self, before: int | None = None) -> Event | None:
        query = (
            f"SELECT {row_mapping.EVENT} FROM events WHERE undone_by = 0 AND kind IN ({_UNDOABLE}) AND revision < ? "
            "ORDER BY revision DESC LIMIT 1"
        )
        row = self._run(query, (_ANY_REVISION if before is None else before,)).fetchone()
        return row_mapping.to_event(row) if row else None

    def mark_undone(self, revision: int, by: int) -> None:
        self._run("UPDATE events SET undone_by = ? WHERE revision = ?", (by, revision))

    def _set_fact(self, sample_id: int, column: str, value: str | int) -> bool:
        """Change a column of a sample's facts; return whether there is such a sample and it had another value."""
        query = f"SELECT {CHECKED_FACTS}, facts_check FROM samples WHERE sample_id = ?"
        row = self._run(query, (sample_id,)).fetchone()
        if row is None:
            return False
        changed, check = row_mapping.change_fact(row, column, value, self._checks)
        query = f"UPDATE samples SET {column} = ?, facts_check = ? WHERE sample_id = ?"
        self._run(query, (value, check, sample_id))
        return changed
