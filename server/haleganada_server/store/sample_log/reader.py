"""The read-only part of a workspace's log, also used for snapshots and for the copies from which exports are made."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Unavailable
from haleganada_server.core.glyphs.ports import Vectors
from haleganada_server.core.sample_log.rows import LABELING, LiveSample, SampleFacts, SampleRow, StaleSample
from haleganada_server.store.errors import storage_errors, unreadable

from . import row_mapping, schema

_STREAMED_ROWS = 256
_CLOSE_TIMEOUT_S = 10.0


class LogReader:
    """Short reads share one connection under a lock; long ones open their own, and close() waits for them. Safe from
    any thread. Every method raises DataLoss if the file turns out to be corrupt, Unavailable once it is closed.
    """

    def __init__(self, path: Path, name: str, *, frozen: bool = False) -> None:
        """frozen: nothing writes to the file. Raises DataLoss if it cannot be read."""
        self.path = path
        self._name = name
        self._frozen = frozen
        self._reading = threading.Lock()
        self._long_reads = _LongReads(name)
        with storage_errors(name):
            self._reader = schema.connect_reader(path, frozen=frozen)
            try:
                schema.check(self._reader, name)
                self._created_us = self._read_created_us()
            except BaseException:
                self._reader.close()
                raise

    @property
    def name(self) -> str:
        return self._name

    @property
    def created_us(self) -> int:
        return self._created_us

    def revision(self) -> int:
        return int(self._one("SELECT IFNULL(MAX(revision), 0) FROM events"))

    def sample(self, sample_id: int) -> SampleRow | None:
        found = self._all(
            f"SELECT {row_mapping.SAMPLE} FROM samples WHERE sample_id = ? AND forgotten = 0", (sample_id,)
        )
        return row_mapping.to_sample(found[0]) if found else None

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        where, values = _filter(label)
        if before:
            where, values = f"{where} AND sample_id < ?", [*values, before]
        query = f"SELECT {row_mapping.SAMPLE} FROM samples WHERE {where} ORDER BY sample_id DESC LIMIT ?"
        return [row_mapping.to_sample(row) for row in self._all(query, (*values, limit))]

    def count(self, label: str = "") -> int:
        where, values = _filter(label)
        return int(self._one(f"SELECT COUNT(*) FROM samples WHERE {where}", values))

    def sample_facts(self) -> list[SampleFacts]:
        found = self._all(
            "SELECT sample_id, label, loss, predicted, new_label, correction, time_us, revision FROM samples "
            "WHERE forgotten = 0 ORDER BY sample_id"
        )
        return [
            SampleFacts(
                sample_id=sample_id,
                label=text,
                loss=loss,
                predicted=predicted,
                new_label=bool(new_label),
                correction=bool(correction),
                time_us=time_us,
                revision=revision,
            )
            for sample_id, text, loss, predicted, new_label, correction, time_us, revision in found
        ]

    def live_samples(self) -> tuple[int, list[LiveSample]]:
        (_, _, revision), *found = self._all(  # one statement, so that all belongs to one revision
            "SELECT 0, '', IFNULL(MAX(revision), 0) FROM events UNION ALL "
            "SELECT sample_id, label, revision FROM samples WHERE forgotten = 0 ORDER BY 1"
        )
        return int(revision), [LiveSample(*row) for row in found]

    def samples_by_id(self, sample_ids: Sequence[int]) -> list[SampleRow]:
        places = ", ".join("?" * len(sample_ids))
        query = f"SELECT {row_mapping.SAMPLE} FROM samples WHERE sample_id IN ({places}) ORDER BY sample_id"
        return [row_mapping.to_sample(row) for row in self._all(query, tuple(sample_ids))]

    def embeddings(self, embedder_hash: str) -> tuple[list[int], list[str], Vectors]:
        query = (
            "SELECT sample_id, label, embedding FROM samples WHERE forgotten = 0 AND embedder_hash = ? "
            "ORDER BY sample_id"
        )
        found = self._all(query, (embedder_hash,))
        if len(lengths := {len(row[2]) for row in found}) > 1 or any(length % 4 for length in lengths):
            raise unreadable(self._name, "its embeddings differ in length")
        joined = np.frombuffer(b"".join(row[2] for row in found), dtype="<f4")
        if not np.isfinite(joined).all():  # one such number would make every probability of the workspace NaN
            raise unreadable(self._name, "an embedding is damaged")
        vectors = joined.reshape(len(found), -1) if found else np.zeros((0, 0), dtype=np.float32)
        return [row[0] for row in found], [row[1] for row in found], vectors

    def stale_samples(self, embedder_hash: str) -> list[StaleSample]:
        query = "SELECT sample_id, label, forgotten FROM samples WHERE embedder_hash <> ? ORDER BY sample_id"
        return [StaleSample(i, label, bool(hidden)) for i, label, hidden in self._all(query, (embedder_hash,))]

    def embedding_dimension(self) -> int:
        """Return the dimension of the live samples' embeddings, of most of them during re-embedding; 0 without
        samples.
        """
        query = (
            "SELECT length(embedding) / 4 FROM samples WHERE forgotten = 0 GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"
        )
        found = self._all(query)
        return int(found[0][0]) if found else 0

    def all_samples(self) -> Iterator[SampleRow]:
        return self._stream("forgotten = 0")

    def forgotten_samples(self) -> Iterator[SampleRow]:
        return self._stream("forgotten = 1")

    def class_ids(self) -> dict[str, int]:
        kinds = ", ".join(f"'{kind.value}'" for kind in LABELING)
        found = self._all(f"SELECT label FROM events WHERE kind IN ({kinds}) GROUP BY label ORDER BY MIN(revision)")
        return {label: number for number, (label,) in enumerate(found)}

    def links(self) -> dict[str, str]:
        return dict(self._all("SELECT form, canonical FROM links ORDER BY position"))

    def bytes_on_disk(self) -> int:
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def copy_to(self, path: Path) -> None:
        """Write a consistent, compact copy without a journal; path must not exist."""
        with self._own_connection() as connection:
            connection.execute("PRAGMA query_only = OFF")  # VACUUM INTO counts as writing
            connection.execute("VACUUM INTO ?", (str(path),))

    def close(self) -> None:
        """Wait a little for long reads to end; later reads raise Unavailable."""
        self._long_reads.close(_CLOSE_TIMEOUT_S)
        with self._reading:
            self._reader.close()

    def _read_created_us(self) -> int:
        found = self._all("SELECT value FROM meta WHERE key = 'created_us'")
        if not (found and found[0][0].isdecimal()):
            raise unreadable(self._name, "its time of creation is missing")
        return int(found[0][0])

    def _stream(self, where: str) -> Iterator[SampleRow]:
        with self._own_connection() as connection:
            cursor = connection.execute(f"SELECT {row_mapping.SAMPLE} FROM samples WHERE {where} ORDER BY sample_id")
            while page := cursor.fetchmany(_STREAMED_ROWS):
                yield from map(row_mapping.to_sample, page)

    @contextmanager
    def _own_connection(self) -> Iterator[sqlite3.Connection]:
        with (
            self._long_reads.count(),
            storage_errors(self._name),
            closing(schema.connect_reader(self.path, frozen=self._frozen)) as connection,
        ):
            yield connection

    def _all(self, query: str, values: Any = ()) -> list[Any]:
        with self._reading, storage_errors(self._name):
            return self._reader.execute(query, values).fetchall()

    def _one(self, query: str, values: Any = ()) -> Any:
        return self._all(query, values)[0][0]


class _LongReads:
    """Counts long reads in progress, so that their file is not moved while they run."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._count = 0
        self._closed = False

    @contextmanager
    def count(self) -> Iterator[None]:
        """Count a read while the block runs. Raises Unavailable once closed."""
        with self._changed:
            if self._closed:
                raise Unavailable(
                    f"the workspace “{self._name}” is being replaced or closed; repeat the call", Reason.WORKSPACE_BUSY
                )
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def close(self, timeout_s: float) -> None:
        """Allow no more reads, and wait for those in progress."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._count == 0, timeout_s)


def _filter(label: str) -> tuple[str, list[Any]]:
    return ("forgotten = 0 AND label = ?", [label]) if label else ("forgotten = 0", [])
