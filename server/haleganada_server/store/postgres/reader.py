"""The read-only part of a workspace's log in the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

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
from haleganada_server.store.sample_log import row_mapping
from haleganada_server.store.sample_log.integrity.checks import RowChecks
from haleganada_server.store.sample_log.reader import EMBEDDED_ROWS, STREAMED_ROWS, EmbeddingBlocks, LongReads
from haleganada_server.store.sample_log.summary import Summarizer

from .connections import Connection, Row
from .copying import write_file
from .database import Database
from .errors import database_errors, log_replaced
from .position import READ, Position
from .row_sources import FactRows, PageCursor

_LABELING = [kind.value for kind in LABELING]


class PostgresReader:
    """Short reads take a connection of the pool, long ones their own, and close() waits for them. Safe from any thread.
    Every method raises Unavailable if the database is away, or the log is closed, DataLoss for a damaged row.
    """

    def __init__(self, database: Database, name: str, position: Position) -> None:
        self._database, self._name = database, name
        self._log_id, self._created_us = position.log_id, position.created_us
        self._checks = RowChecks(name, position.created_us)
        self._long_reads = LongReads(name)
        self._summarizer = Summarizer()

    @property
    def name(self) -> str:
        return self._name

    @property
    def created_us(self) -> int:
        return self._created_us

    @property
    def log_id(self) -> int:
        """Which rows of the database are this log's."""
        return self._log_id

    def revision(self) -> int:
        return self._read_position().revision

    def last_sample_id(self) -> int:
        return self._read_position().last_sample_id

    def bytes_on_disk(self) -> int:
        """About so many bytes of the database; its journal and what is not vacuumed yet are not counted."""
        return self._read_position().stored_bytes

    def last_event(self) -> Event | None:
        found = self._all(f"SELECT {row_mapping.EVENT} FROM events WHERE log_id = %s ORDER BY revision DESC LIMIT 1")
        return row_mapping.to_event(found[0]) if found else None

    def sample(self, sample_id: int) -> SampleRow | None:
        found = self._samples("AND sample_id = %s AND NOT forgotten", sample_id)
        return found[0] if found else None

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        where, values = _filter(label)
        if before:
            where, values = f"{where} AND sample_id < %s", [*values, before]
        return self._samples(f"AND {where} ORDER BY sample_id DESC LIMIT %s", *values, limit)

    def count(self, label: str = "") -> int:
        where, values = _filter(label)
        return int(self._all(f"SELECT count(*) FROM samples WHERE log_id = %s AND {where}", *values)[0][0])

    def summarize(self, max_confusions: int) -> LogSummary:
        with self._state() as connection, closing(FactRows(connection, self._log_id)) as rows:
            return self._summarizer.summarize(rows, max_confusions)

    def sample_facts(self, newest: int | None = None) -> list[SampleFacts]:
        query = (
            "SELECT sample_id, label, loss, predicted, new_label, correction, time_us, revision FROM samples "
            "WHERE log_id = %s AND NOT forgotten ORDER BY sample_id DESC LIMIT %s"
        )
        return [
            SampleFacts(
                sample_id=sample_id,
                label=text,
                loss=loss,
                predicted=predicted,
                new_label=new_label,
                correction=correction,
                time_us=time_us,
                revision=revision,
            )
            for sample_id, text, loss, predicted, new_label, correction, time_us, revision in reversed(
                self._all(query, newest)
            )
        ]

    def live_samples(self) -> tuple[int, list[LiveSample]]:
        query = (  # one statement, so that all belongs to one revision
            "SELECT 0, '', coalesce(max(revision), 0) FROM events WHERE log_id = %s UNION ALL "
            "SELECT sample_id, label, revision FROM samples WHERE log_id = %s AND NOT forgotten ORDER BY 1"
        )
        (_, _, revision), *found = self._all(query, self._log_id)
        return int(revision), [LiveSample(*row) for row in found]

    def samples_by_id(self, sample_ids: Sequence[int]) -> list[SampleRow]:
        return self._samples("AND sample_id = ANY(%s) ORDER BY sample_id", list(sample_ids))

    def clients(self, revisions: Sequence[int]) -> dict[int, str]:
        query = "SELECT revision, client FROM events WHERE log_id = %s AND revision = ANY(%s)"
        return dict(self._all(query, list(revisions)))

    def embeddings(self, embedder_hash: str, newest: int | None = None) -> Iterator[EmbeddedSamples]:
        newest_first = (
            "SELECT sample_id, label, embedding FROM samples WHERE log_id = %s AND NOT forgotten AND "
            "embedder_hash = %s ORDER BY sample_id DESC LIMIT %s"
        )
        query = f"SELECT * FROM ({newest_first}) AS found ORDER BY sample_id"
        values = self._log_id, embedder_hash, newest
        with self._state() as connection, closing(PageCursor(connection, query, *values)) as cursor:
            to_block = EmbeddingBlocks(self._name).make
            while page := cursor.fetchmany(EMBEDDED_ROWS):
                yield to_block(*zip(*page, strict=True))

    def stale_samples(self, embedder_hash: str) -> list[StaleSample]:
        query = (
            "SELECT sample_id, label, forgotten FROM samples WHERE log_id = %s AND embedder_hash <> %s "
            "ORDER BY sample_id"
        )
        return [StaleSample(*row) for row in self._all(query, embedder_hash)]

    def all_samples(self) -> Iterator[SampleRow]:
        return self._stream("NOT forgotten")

    def forgotten_samples(self) -> Iterator[SampleRow]:
        return self._stream("forgotten")

    def class_ids(self) -> dict[str, int]:
        query = "SELECT label FROM events WHERE log_id = %s AND kind = ANY(%s) GROUP BY label ORDER BY min(revision)"
        return {label: number for number, (label,) in enumerate(self._all(query, _LABELING))}

    def links(self) -> dict[str, str]:
        found = self._all("SELECT form, canonical FROM links WHERE log_id = %s ORDER BY position")
        return dict(found)

    @property
    def memory_bytes(self) -> int:
        return self._summarizer.nbytes

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy to a file as a server without a database keeps it; path must not exist."""
        with self._state() as connection:
            position = Position.of(connection.execute(READ, (self._name,)).fetchone())
            if position is None or position.log_id != self._log_id:
                raise log_replaced(self._name)
            write_file(connection, position, path, self._name)

    @property
    def closed(self) -> bool:
        return self._long_reads.closed

    def close(self) -> None:
        """Wait a little for long reads to end; later reads raise Unavailable."""
        self._long_reads.close()

    def checkpoint(self) -> None:
        """Do nothing: what is committed is where it belongs."""

    def _read_position(self) -> Position:
        """Raise Unavailable if another server has replaced or deleted the log."""
        self._require_open()
        with database_errors(self._name):
            found = self._database.fetch(READ, (self._name,))
        position = Position.of(found[0]) if found else None
        if position is None or position.log_id != self._log_id:
            raise log_replaced(self._name)
        return position

    def _samples(self, where: str, *values: object) -> list[SampleRow]:
        found = self._all(f"SELECT {row_mapping.CHECKED_SAMPLE} FROM samples WHERE log_id = %s {where}", *values)
        return [self._to_sample(row) for row in found]

    def _to_sample(self, row: row_mapping.Row) -> SampleRow:
        with database_errors(self._name):
            return row_mapping.to_sample(row, self._checks)

    def _stream(self, where: str) -> Iterator[SampleRow]:
        query = f"SELECT {row_mapping.CHECKED_SAMPLE} FROM samples WHERE log_id = %s AND {where} ORDER BY sample_id"
        with self._state() as connection, closing(PageCursor(connection, query, self._log_id)) as cursor:
            while page := cursor.fetchmany(STREAMED_ROWS):
                yield from map(self._to_sample, page)

    @contextmanager
    def _state(self) -> Iterator[Connection]:
        """Give the block a connection of its own that sees one state."""
        with self._long_reads.count(), database_errors(self._name), self._database.snapshot("SELECT 1") as (own, _):
            yield own

    def _all(self, query: str, *values: Any) -> list[Row]:
        """Return the rows of a query whose first value is the log's number."""
        self._require_open()
        with database_errors(self._name):
            return self._database.fetch(query, (self._log_id, *values))

    def _require_open(self) -> None:
        if self.closed:
            raise log_replaced(self._name)


def _filter(label: str) -> tuple[str, list[Any]]:
    return ("NOT forgotten AND label = %s", [label]) if label else ("NOT forgotten", [])
