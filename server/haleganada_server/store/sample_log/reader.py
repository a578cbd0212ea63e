"""The read-only part of a workspace's log, also used for snapshots and for the copies from which exports are made."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from haleganada_server.core.baton import locked, without_baton
from haleganada_server.core.disk.files import measure_size
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Unavailable
from haleganada_server.core.sample_log.rows import (
    LABELING,
    EmbeddedSamples,
    Event,
    LiveSample,
    LogSummary,
    SampleFacts,
    SampleRow,
    StaleSample,
)
from haleganada_server.store.errors import storage_errors, unreadable

from . import row_mapping, schema
from .integrity.checks import RowChecks
from .mark import NO_DIGEST, Mark
from .open_files import OpenFiles
from .summary import SqliteFacts, Summarizer

STREAMED_ROWS = 256
EMBEDDED_ROWS = 2048  # two megabytes of embeddings
_CLOSE_TIMEOUT_S = 10.0
_READER_FILES = 3  # descriptors: the file, its journal, and the journal's index


class LogReader:
    """Short reads share one connection under a lock; long ones open their own, and close() waits for them. Safe from
    any thread. Every method raises DataLoss if the file turns out to be corrupt, Unavailable once it is closed.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        frozen: bool = False,
        open_files: OpenFiles | None = None,
        check: Callable[[sqlite3.Connection, str], None] = schema.check,
    ) -> None:
        """frozen: nothing writes to the file. open_files: limits the descriptors of all logs together. check: looks at
        the file first. Raises DataLoss if the file cannot be read.
        """
        self.path = path
        self._name = name
        self._frozen = frozen
        self._open_files = open_files or OpenFiles()
        self._reading = threading.Lock()
        self._long_reads = LongReads(name)
        self._summarizer = Summarizer()
        self._reader: sqlite3.Connection | None = None
        self._closed = False
        try:
            with self._short_read() as connection:
                check(connection, name)
            self._created_us = self._read_created_us()
            self._checks = self._read_checks()
        except BaseException:
            self._close_reader()
            raise

    @property
    def name(self) -> str:
        return self._name

    @property
    def created_us(self) -> int:
        return self._created_us

    def revision(self) -> int:
        return int(self._one("SELECT IFNULL(MAX(revision), 0) FROM events"))

    def last_event(self) -> Event | None:
        found = self._all(f"SELECT {row_mapping.EVENT} FROM events ORDER BY revision DESC LIMIT 1")
        return row_mapping.to_event(found[0]) if found else None

    def read_mark(self) -> Mark:
        """Return how far the log has come, from its tables."""
        query = (
            "SELECT (SELECT IFNULL(MAX(revision), 0) FROM events), (SELECT IFNULL(MAX(sample_id), 0) FROM samples), "
            f"IFNULL((SELECT CAST(value AS INTEGER) FROM meta WHERE key = '{schema.USED_SAMPLE_IDS}'), 0), "
            "(SELECT COUNT(*) FROM samples WHERE forgotten = 0)"
        )
        revision, last_sample_id, used, live = map(int, self._all(query)[0])
        return Mark(
            revision=revision,
            last_sample_id=max(last_sample_id, used),
            digest=self.digest_at(revision),
            samples_total=live,
        )

    def digest_at(self, revision: int) -> bytes:
        """Return the checksum of the log up to a revision, 16 bytes; zeros if it is not known."""
        found = self._all("SELECT digest FROM events WHERE revision = ?", (revision,))
        return bytes(found[0][0]) if found else NO_DIGEST

    def sample(self, sample_id: int) -> SampleRow | None:
        found = self._all(
            f"SELECT {row_mapping.CHECKED_SAMPLE} FROM samples WHERE sample_id = ? AND forgotten = 0", (sample_id,)
        )
        return self._to_sample(found[0]) if found else None

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        where, values = _filter(label)
        if before:
            where, values = f"{where} AND sample_id < ?", [*values, before]
        query = f"SELECT {row_mapping.CHECKED_SAMPLE} FROM samples WHERE {where} ORDER BY sample_id DESC LIMIT ?"
        return [self._to_sample(row) for row in self._all(query, (*values, limit))]

    def count(self, label: str = "") -> int:
        where, values = _filter(label)
        return int(self._one(f"SELECT COUNT(*) FROM samples WHERE {where}", values))

    def summarize(self, max_confusions: int) -> LogSummary:
        with self._own_connection() as connection:
            return self._summarizer.summarize(SqliteFacts(connection), max_confusions)

    def sample_facts(self, newest: int | None = None) -> list[SampleFacts]:
        found = self._all(
            "SELECT sample_id, label, loss, predicted, new_label, correction, time_us, revision FROM samples "
            "WHERE forgotten = 0 ORDER BY sample_id DESC LIMIT ?",
            (-1 if newest is None else newest,),
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
            for sample_id, text, loss, predicted, new_label, correction, time_us, revision in reversed(found)
        ]

    def live_samples(self) -> tuple[int, list[LiveSample]]:
        (_, _, revision), *found = self._all(  # one statement, so that all belongs to one revision
            "SELECT 0, '', IFNULL(MAX(revision), 0) FROM events UNION ALL "
            "SELECT sample_id, label, revision FROM samples WHERE forgotten = 0 ORDER BY 1"
        )
        return int(revision), [LiveSample(*row) for row in found]

    def samples_by_id(self, sample_ids: Sequence[int]) -> list[SampleRow]:
        places = ", ".join("?" * len(sample_ids))
        query = f"SELECT {row_mapping.CHECKED_SAMPLE} FROM samples WHERE sample_id IN ({places}) ORDER BY sample_id"
        return [self._to_sample(row) for row in self._all(query, tuple(sample_ids))]

    def clients(self, revisions: Sequence[int]) -> dict[int, str]:
        places = ", ".join("?" * len(revisions))
        return dict(self._all(f"SELECT revision, client FROM events WHERE revision IN ({places})", tuple(revisions)))

    def embeddings(self, embedder_hash: str, newest: int | None = None) -> Iterator[EmbeddedSamples]:
        query = (
            "SELECT sample_id, label, embedding FROM samples WHERE forgotten = 0 AND embedder_hash = ? AND "
            "sample_id > ? ORDER BY sample_id"
        )
        with self._own_connection() as connection:
            start = 0 if newest is None else _find_start(connection, embedder_hash, newest)
            cursor = connection.execute(query, (embedder_hash, start))
            to_block = EmbeddingBlocks(self._name).make
            while page := cursor.fetchmany(EMBEDDED_ROWS):
                yield to_block(*zip(*page, strict=True))

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
        return measure_size(self.path) + measure_size(self.path.with_name(self.path.name + "-wal"))

    @property
    def memory_bytes(self) -> int:
        return self._summarizer.nbytes

    def copy_to(self, path: Path) -> None:
        """Write a consistent, compact copy without a journal; path must not exist."""
        with self._own_connection() as connection:
            connection.execute("PRAGMA query_only = OFF")  # VACUUM INTO counts as writing
            connection.execute("VACUUM INTO ?", (str(path),))

    @property
    def closed(self) -> bool:
        return self._long_reads.closed

    def close(self) -> None:
        """Wait a little for long reads to end; later reads raise Unavailable."""
        self._long_reads.close()
        with locked(self._reading):
            self._closed = True
            self._close_reader()
        self._open_files.note_use(self, changed=True)

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def count_files(self) -> int:
        """See ReleasableLog."""
        return _READER_FILES if self._reader is not None else 0

    def release(self) -> None:
        """See ReleasableLog. The next read opens a connection again."""
        if self._reading.acquire(blocking=False):
            try:
                self._close_reader()
            finally:
                self._reading.release()

    def _require_same_file(self) -> None:
        """Raise DataLoss if another file was put in this one's place since it was opened."""

    def _read_created_us(self) -> int:
        found = self._all("SELECT value FROM meta WHERE key = 'created_us'")
        if not (found and found[0][0].isdecimal()):
            raise unreadable(self._name, "its time of creation is missing")
        return int(found[0][0])

    def _read_checks(self) -> RowChecks:
        with self._short_read() as connection:
            checks = schema.read_checks(connection)
        if checks is None:
            raise unreadable(self._name, "its name is missing")
        return checks

    def _to_sample(self, row: row_mapping.Row) -> SampleRow:
        with storage_errors(self._name):
            return row_mapping.to_sample(row, self._checks)

    def _stream(self, where: str) -> Iterator[SampleRow]:
        with self._own_connection() as connection:
            cursor = connection.execute(
                f"SELECT {row_mapping.CHECKED_SAMPLE} FROM samples WHERE {where} ORDER BY sample_id"
            )
            while page := cursor.fetchmany(STREAMED_ROWS):
                yield from map(self._to_sample, page)

    @contextmanager
    def _own_connection(self) -> Iterator[sqlite3.Connection]:
        with (
            self._long_reads.count(),
            storage_errors(self._name, self.path),
            closing(schema.connect_reader(self.path, frozen=self._frozen)) as connection,
        ):
            yield connection

    @contextmanager
    def _short_read(self) -> Iterator[sqlite3.Connection]:
        """Give the block the shared connection."""
        with locked(self._reading), storage_errors(self._name, self.path):
            self._require_open()
            if opens := self._reader is None:
                self._require_same_file()
                self._reader = schema.connect_reader(self.path, frozen=self._frozen)
            try:
                yield self._reader
            finally:
                self._open_files.note_use(self, changed=opens)

    def _require_open(self) -> None:
        if self._closed:
            raise _closed_log(self._name)

    def _all(self, query: str, values: Any = ()) -> list[Any]:
        with self._short_read() as connection:
            return connection.execute(query, values).fetchall()

    def _one(self, query: str, values: Any = ()) -> Any:
        return self._all(query, values)[0][0]


class EmbeddingBlocks:
    """Makes blocks of samples whose embeddings are numbers, as many in each."""

    def __init__(self, name: str) -> None:
        """name: of the workspace."""
        self._name = name
        self._lengths: set[int] = set()

    def make(self, sample_ids: Sequence[int], labels: Sequence[str], embeddings: Sequence[bytes]) -> EmbeddedSamples:
        """Return the next block, of at least one sample. Raises DataLoss."""
        self._lengths.update(map(len, embeddings))
        if len(self._lengths) > 1 or any(length % 4 for length in self._lengths):
            raise unreadable(self._name, "its embeddings differ in length")
        joined = np.frombuffer(b"".join(embeddings), dtype="<f4")
        if not np.isfinite(joined).all():  # one such number would make every probability of the workspace NaN
            raise unreadable(self._name, "an embedding is damaged")
        return EmbeddedSamples(list(sample_ids), list(labels), joined.reshape(len(embeddings), -1))


class LongReads:
    """Counts long reads in progress, so that their file is not moved while they run."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._count = 0
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether no more reads are allowed."""
        return self._closed

    @contextmanager
    def count(self) -> Iterator[None]:
        """Count a read while the block runs. Raises Unavailable once closed."""
        with self._changed:
            if self._closed:
                raise _closed_log(self._name)
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Allow no more reads, and wait for those in progress, but not for ever."""
        with without_baton(), self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._count == 0, _CLOSE_TIMEOUT_S)


def _closed_log(name: str) -> Unavailable:
    return Unavailable(f"the workspace “{name}” is being replaced or closed; repeat the call", Reason.WORKSPACE_BUSY)


def _filter(label: str) -> tuple[str, list[Any]]:
    return ("forgotten = 0 AND label = ?", [label]) if label else ("forgotten = 0", [])


def _find_start(connection: sqlite3.Connection, embedder_hash: str, newest: int) -> int:
    """Return the sample_id after which the `newest` live samples of these weights start; 0 if there are no others."""
    query = (
        "SELECT sample_id FROM samples WHERE forgotten = 0 AND embedder_hash = ? ORDER BY sample_id DESC "
        "LIMIT 1 OFFSET ?"
    )
    found = connection.execute(query, (embedder_hash, newest)).fetchone()
    return int(found[0]) if found else 0
