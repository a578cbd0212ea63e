"""Changes to one workspace's file that are committed together or not at all."""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.sample_log.rows import UNDOABLE, Event, SampleRow

from . import row_mapping

_UNDOABLE = ", ".join(f"'{kind.value}'" for kind in sorted(UNDOABLE, key=lambda kind: kind.value))


class SqliteTransaction:
    """core.sample_log.ports.LogTransaction on a connection whose transaction is open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    def find_event(self, request_id: str) -> Event | None:
        row = self._run(f"SELECT {row_mapping.EVENT} FROM events WHERE request_id = ?", (request_id,)).fetchone()
        return row_mapping.to_event(row) if row else None

    def append(self, event: Event) -> int:
        last = self._run("SELECT MAX(revision) FROM events").fetchone()[0] or 0
        revision: int = max(last + 1, event.revision)
        places = ", ".join("?" * len(row_mapping.EVENT.split(", ")))
        self._run(
            f"INSERT INTO events ({row_mapping.EVENT}) VALUES ({places})", row_mapping.from_event(event, revision)
        )
        return revision

    def add_sample(self, sample: SampleRow) -> None:
        places = ", ".join("?" * len(row_mapping.SAMPLE.split(", ")))
        self._run(f"INSERT INTO samples ({row_mapping.SAMPLE}) VALUES ({places})", row_mapping.from_sample(sample))

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        query = f"SELECT {row_mapping.SAMPLE} FROM samples WHERE sample_id = ? AND forgotten = ?"
        row = self._run(query, (sample_id, forgotten)).fetchone()
        return row_mapping.to_sample(row) if row else None

    def next_sample_id(self) -> int:
        return int(self._run("SELECT IFNULL(MAX(sample_id), 0) + 1 FROM samples").fetchone()[0])

    def set_label(self, sample_id: int, label: str) -> None:
        self._run("UPDATE samples SET label = ? WHERE sample_id = ?", (label, sample_id))

    def set_forgotten(self, sample_id: int, forgotten: bool) -> None:
        self._run("UPDATE samples SET forgotten = ? WHERE sample_id = ?", (forgotten, sample_id))

    def set_canonical(self, form: str, canonical: str) -> None:
        self._run("DELETE FROM links WHERE form = ?", (form,))
        if canonical:
            self._run("INSERT INTO links (form, canonical) VALUES (?, ?)", (form, canonical))

    def set_embedding(self, sample_id: int, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        query = "UPDATE samples SET embedding = ?, embedder_hash = ? WHERE sample_id = ?"
        self._run(query, (row_mapping.vector_bytes(embedding), embedder_hash, sample_id))

    def last_change(self) -> Event | None:
        query = (
            f"SELECT {row_mapping.EVENT} FROM events WHERE undone_by = 0 AND kind IN ({_UNDOABLE}) "
            "ORDER BY revision DESC LIMIT 1"
        )
        row = self._run(query).fetchone()
        return row_mapping.to_event(row) if row else None

    def mark_undone(self, revision: int, by: int) -> None:
        self._run("UPDATE events SET undone_by = ? WHERE revision = ?", (by, revision))
