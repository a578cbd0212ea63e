"""Changes to one workspace's log that are committed together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.sample_log.rows import UNDOABLE, Event, FollowedEvent, SampleRow
from haleganada_server.store.sample_log import row_mapping
from haleganada_server.store.sample_log.integrity.checks import CHECKED_FACTS, RowChecks
from haleganada_server.store.sample_log.mark import NO_DIGEST

from .connections import Connection, Row
from .errors import database_behind
from .news import read_news
from .position import ADVANCE, Position

_UNDOABLE = [kind.value for kind in sorted(UNDOABLE, key=lambda kind: kind.value)]
_ANY_REVISION = 2**63 - 1
_ROW_BYTES = 500  # of a sample and its event in tables and indexes, beside what varies


def _insert(table: str, columns: str) -> str:
    places = ", ".join(["%s"] * (len(columns.split(", ")) + 1))
    return f"INSERT INTO {table} (log_id, {columns}) VALUES ({places})"


_INSERT_EVENT = _insert("events", f"{row_mapping.EVENT}, digest")
_INSERT_SAMPLE = _insert("samples", row_mapping.CHECKED_SAMPLE)


class PostgresTransaction:
    """core.sample_log.ports.LogTransaction on a connection whose transaction holds the workspace's lock.

    New rows are sent together, before something is read that they could be part of, and at the end.
    """

    def __init__(self, connection: Connection, name: str, checks: RowChecks, position: Position) -> None:
        """name: of the workspace. position: before the transaction."""
        self._connection, self._name, self._checks = connection, name, checks
        self.position = position
        """How far the log has come with the changes so far."""
        self._before = position
        self._events: list[Row] = []
        self._samples: list[Row] = []
        self._requests: dict[str, Event] = {}  # of events that were not sent yet

    def news(self, revision: int) -> Sequence[FollowedEvent]:
        if revision == self._before.revision:
            return ()
        if revision > self._before.revision:
            raise database_behind(self._name, revision, self._before.revision)
        return read_news(self._connection, self._before.log_id, revision)

    def find_event(self, request_id: str) -> Event | None:
        if (found := self._requests.get(request_id)) is not None:
            return found
        query = f"SELECT {row_mapping.EVENT} FROM events WHERE log_id = %s AND request_id = %s"
        row = self._connection.execute(query, (self.position.log_id, request_id)).fetchone()
        return row_mapping.to_event(row) if row else None

    def append(self, event: Event) -> int:
        revision = max(self.position.revision + 1, event.revision)
        before = self._checks.start if self.position.digest == NO_DIGEST else self.position.digest
        digest = self._checks.event_digest(before, row_mapping.checked_event(event, revision))
        self._events.append((self.position.log_id, *row_mapping.from_event(event, revision), digest))
        if event.request_id:
            self._requests[event.request_id] = replace(event, revision=revision)
        self.position = replace(self.position, revision=revision, digest=digest)
        return revision

    def add_sample(self, sample: SampleRow) -> None:
        row = row_mapping.from_sample(sample, self._checks)
        self._samples.append((self.position.log_id, *row))
        self.position = replace(
            self.position,
            last_sample_id=max(self.position.last_sample_id, sample.sample_id),
            samples_total=self.position.samples_total + 1,
            stored_bytes=self.position.stored_bytes + len(sample.glyph) + sample.embedding.nbytes + _ROW_BYTES,
        )

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        query = (
            f"SELECT {row_mapping.CHECKED_SAMPLE} FROM samples WHERE log_id = %s AND sample_id = %s AND forgotten = %s"
        )
        row = self._find(query, self.position.log_id, sample_id, forgotten)
        return row_mapping.to_sample(row, self._checks) if row else None

    def find_drawing(self, label: str, glyph_kind: str, glyph: bytes) -> int:
        query = (  # the length is known without reading the drawing, so that few are read
            "SELECT sample_id FROM samples WHERE log_id = %s AND NOT forgotten AND label = %s AND "
            "octet_length(glyph) = %s AND glyph = %s AND glyph_kind = %s ORDER BY sample_id LIMIT 1"
        )
        row = self._find(query, self.position.log_id, label, len(glyph), glyph, glyph_kind)
        return int(row[0]) if row else 0

    def next_sample_id(self) -> int:
        return self.position.last_sample_id + 1

    def set_label(self, sample_id: int, label: str) -> None:
        self._set_fact(sample_id, "label", label)

    def set_forgotten(self, sample_id: int, forgotten: bool) -> None:
        if self._set_fact(sample_id, "forgotten", forgotten):
            live = self.position.samples_total + (-1 if forgotten else 1)
            self.position = replace(self.position, samples_total=live)

    def set_canonical(self, form: str, canonical: str) -> None:
        log_id = self.position.log_id
        self._connection.execute("DELETE FROM links WHERE log_id = %s AND form = %s", (log_id, form))
        if canonical:
            query = "INSERT INTO links (log_id, form, canonical) VALUES (%s, %s, %s)"
            self._connection.execute(query, (log_id, form, canonical))

    def set_embedding(self, sample_id: int, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        self._flush()
        content = row_mapping.vector_bytes(embedding)
        check = self._checks.embedding_check(sample_id, embedder_hash, content)
        query = (
            "UPDATE samples SET embedding = %s, embedder_hash = %s, embedding_check = %s "
            "WHERE log_id = %s AND sample_id = %s"
        )
        self._connection.execute(query, (content, embedder_hash, check, self.position.log_id, sample_id))
        self.position = replace(self.position, embedded=self._before.embedded + 1)

    def distrust_embedding(self, sample_id: int) -> None:
        """Make a sample stale whose embedding is damaged, so that it is embedded again."""
        self.set_embedding(sample_id, np.zeros(0, dtype=np.float32), "")

    def last_change(self, before: int | None = None) -> Event | None:
        query = (
            f"SELECT {row_mapping.EVENT} FROM events WHERE log_id = %s AND undone_by = 0 AND kind = ANY(%s) AND "
            "revision < %s ORDER BY revision DESC LIMIT 1"
        )
        row = self._find(query, self.position.log_id, _UNDOABLE, _ANY_REVISION if before is None else before)
        return row_mapping.to_event(row) if row else None

    def mark_undone(self, revision: int, by: int) -> None:
        self._flush()
        query = "UPDATE events SET undone_by = %s WHERE log_id = %s AND revision = %s"
        self._connection.execute(query, (by, self.position.log_id, revision))

    def commit(self) -> None:
        """Send what was not sent yet, and commit all: it is on the database's disk when this returns."""
        with self._connection.pipeline():
            self._flush()
            if self.position != self._before:
                self._connection.execute(ADVANCE, self.position.advanced(self._name))
            self._connection.execute("COMMIT")

    def _find(self, query: str, *values: object) -> Row | None:
        self._flush()
        return self._connection.execute(query, values).fetchone()

    def _flush(self) -> None:
        """Send the new rows."""
        with self._connection.cursor() as cursor:
            if self._samples:
                cursor.executemany(_INSERT_SAMPLE, self._samples)
            if self._events:
                cursor.executemany(_INSERT_EVENT, self._events)
        self._samples, self._events = [], []
        self._requests = {}

    def _set_fact(self, sample_id: int, column: str, value: str | bool) -> bool:
        """Change a column of a sample's facts; return whether there is such a sample and it had another value."""
        query = f"SELECT {CHECKED_FACTS}, facts_check FROM samples WHERE log_id = %s AND sample_id = %s"
        row = self._find(query, self.position.log_id, sample_id)
        if row is None:
            return False
        changed, check = row_mapping.change_fact(row, column, value, self._checks)
        query = f"UPDATE samples SET {column} = %s, facts_check = %s WHERE log_id = %s AND sample_id = %s"
        self._connection.execute(query, (value, check, self.position.log_id, sample_id))
        return changed
