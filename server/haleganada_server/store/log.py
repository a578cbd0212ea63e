"""One workspace's log in one SQLite file (write-ahead journal, synchronous = FULL: a commit is on disk when it
returns).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.ports import Event, SampleFacts, SampleRow, Vectors
from haleganada_server.core.types import UNDOABLE, ChangeKind

from . import schema
from .failures import storage_errors

_SAMPLE = (
    "sample_id, label, glyph_kind, glyph, embedding, embedder_hash, loss, predicted, new_label, correction, "
    "predicted_revision, time_us, revision"
)
_EVENT = (
    "kind, time_us, request_id, payload_hash, client, sample_id, label, previous, canonical, target, answer, revision, "
    "undone_by"
)
_UNDOABLE = ", ".join(f"'{kind.value}'" for kind in sorted(UNDOABLE, key=lambda kind: kind.value))
_STREAMED_ROWS = 256


class SqliteTransaction:
    """core.ports.LogTransaction on an open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    def answered(self, request_id: str) -> Event | None:
        row = self._run(f"SELECT {_EVENT} FROM events WHERE request_id = ?", (request_id,)).fetchone()
        return _event(row) if row else None

    def append(self, event: Event) -> int:
        last = self._run("SELECT MAX(revision) FROM events").fetchone()[0] or 0
        revision: int = max(last + 1, event.revision)
        self._run(
            f"INSERT INTO events ({_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.kind.value, event.time_us, event.request_id or None, event.payload_hash, event.client,
                event.sample_id, event.label, event.previous, event.canonical, event.target, event.answer, revision, 0,
            ),
        )  # fmt: skip
        return revision

    def add_sample(self, sample: SampleRow) -> None:
        self._run(
            f"INSERT INTO samples ({_SAMPLE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sample.sample_id, sample.label, sample.glyph_kind, sample.glyph, _bytes(sample.embedding),
                sample.embedder_hash, sample.loss, sample.predicted, sample.new_label, sample.correction,
                sample.predicted_revision, sample.time_us, sample.revision,
            ),
        )  # fmt: skip

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        query = f"SELECT {_SAMPLE} FROM samples WHERE sample_id = ? AND forgotten = ?"
        row = self._run(query, (sample_id, forgotten)).fetchone()
        return _sample(row) if row else None

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
        self._run(query, (_bytes(embedding), embedder_hash, sample_id))

    def last_change(self) -> Event | None:
        query = (
            f"SELECT {_EVENT} FROM events WHERE undone_by = 0 AND kind IN ({_UNDOABLE}) ORDER BY revision DESC LIMIT 1"
        )
        row = self._run(query).fetchone()
        return _event(row) if row else None

    def mark_undone(self, revision: int, by: int) -> None:
        self._run("UPDATE events SET undone_by = ? WHERE revision = ?", (by, revision))


class SqliteLog:
    """core.ports.WorkspaceLog: one connection writes, one reads under a lock, long reads open their own."""

    def __init__(self, path: Path, name: str) -> None:
        """Opens an existing file. Raises DataLoss if it cannot be read."""
        self.path = path
        self._name = name
        self._reading = threading.Lock()
        with storage_errors(name):
            self._writer = schema.connect(path, write=True)
            schema.check(self._writer, name)
            self._reader = schema.connect(path, write=False)
            self._created_us = int(self._one("SELECT value FROM meta WHERE key = 'created_us'"))

    @property
    def name(self) -> str:
        return self._name

    @property
    def created_us(self) -> int:
        return self._created_us

    def revision(self) -> int:
        return int(self._one("SELECT IFNULL(MAX(revision), 0) FROM events"))

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        with storage_errors(self._name):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._writer.execute("ROLLBACK")
                raise

    def sample(self, sample_id: int) -> SampleRow | None:
        rows = self._all(f"SELECT {_SAMPLE} FROM samples WHERE sample_id = ? AND forgotten = 0", (sample_id,))
        return _sample(rows[0]) if rows else None

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        where, values = _filter(label)
        if before:
            where, values = f"{where} AND sample_id < ?", [*values, before]
        query = f"SELECT {_SAMPLE} FROM samples WHERE {where} ORDER BY sample_id DESC LIMIT ?"
        return [_sample(row) for row in self._all(query, (*values, limit))]

    def count(self, label: str = "") -> int:
        where, values = _filter(label)
        return int(self._one(f"SELECT COUNT(*) FROM samples WHERE {where}", values))

    def facts(self) -> list[SampleFacts]:
        rows = self._all(
            "SELECT sample_id, label, loss, predicted, new_label, correction, time_us, revision FROM samples "
            "WHERE forgotten = 0 ORDER BY sample_id"
        )
        return [
            SampleFacts(i, text, loss, guess, bool(new), bool(fix), *when)
            for i, text, loss, guess, new, fix, *when in rows
        ]

    def embeddings(self) -> tuple[list[int], list[str], list[str], Vectors]:
        rows = self._all(
            "SELECT sample_id, label, embedder_hash, embedding FROM samples WHERE forgotten = 0 ORDER BY sample_id"
        )
        joined = np.frombuffer(b"".join(row[3] for row in rows), dtype="<f4")
        vectors = joined.reshape(len(rows), -1) if rows else np.zeros((0, 0), dtype=np.float32)
        return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows], vectors

    def every_sample(self) -> Iterator[SampleRow]:
        return self._stream("forgotten = 0")

    def hidden_samples(self) -> Iterator[SampleRow]:
        return self._stream("forgotten = 1")

    def links(self) -> dict[str, str]:
        return dict(self._all("SELECT form, canonical FROM links ORDER BY position"))

    def bytes_on_disk(self) -> int:
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def copy_to(self, path: Path) -> None:
        """Write a consistent, compact copy; path must not exist."""
        with storage_errors(self._name), closing(schema.connect(self.path, write=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(path),))

    def close(self) -> None:
        with self._reading:
            self._reader.close()
        with suppress(sqlite3.Error):  # the journal holds everything; the next start folds it in
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()

    def _stream(self, where: str) -> Iterator[SampleRow]:
        with storage_errors(self._name), closing(schema.connect(self.path, write=False)) as connection:
            cursor = connection.execute(f"SELECT {_SAMPLE} FROM samples WHERE {where} ORDER BY sample_id")
            while rows := cursor.fetchmany(_STREAMED_ROWS):
                yield from map(_sample, rows)

    def _all(self, query: str, values: Any = ()) -> list[Any]:
        with self._reading, storage_errors(self._name):
            return self._reader.execute(query, values).fetchall()

    def _one(self, query: str, values: Any = ()) -> Any:
        return self._all(query, values)[0][0]


def _filter(label: str) -> tuple[str, list[Any]]:
    return ("forgotten = 0 AND label = ?", [label]) if label else ("forgotten = 0", [])


def _event(row: tuple[Any, ...]) -> Event:
    kind, time_us, request_id, payload_hash, *rest = row
    return Event(ChangeKind(kind), time_us, request_id or "", payload_hash or b"", *rest)


def _sample(row: tuple[Any, ...]) -> SampleRow:
    sample_id, label, kind, glyph, vector, embedder, loss, predicted, new_label, correction, *rest = row
    embedding = np.frombuffer(vector, dtype="<f4")
    facts = (loss, predicted, bool(new_label), bool(correction))
    return SampleRow(sample_id, label, kind, glyph, embedding, embedder, *facts, *rest)


def _bytes(embedding: NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(embedding, dtype="<f4").tobytes()
