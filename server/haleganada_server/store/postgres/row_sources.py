"""The rows of one log for those who read all of them: who compares them with their checksums, and who counts them."""

from __future__ import annotations

from uuid import uuid4

from .connections import Connection, Row


class PageCursor:
    """The rows of a query, which stay in the database until they are fetched. Closes itself after the last one."""

    def __init__(self, connection: Connection, query: str, *values: object) -> None:
        """A transaction is open."""
        self._cursor = connection.cursor(uuid4().hex, scrollable=False)
        self._cursor.execute(query, values, binary=True)

    def fetchmany(self, size: int, /) -> list[Row]:
        """Return the next rows, at most `size`; none after the last one."""
        rows = [] if self._cursor.closed else self._cursor.fetchmany(size)
        if len(rows) < size:
            self.close()
        return rows

    def close(self) -> None:
        """Read no more."""
        self._cursor.close()


class _LogRows:
    """Cursors on the rows of one log, which close() closes."""

    def __init__(self, connection: Connection, log_id: int) -> None:
        self._connection, self._log_id = connection, log_id
        self._cursors: list[PageCursor] = []

    def close(self) -> None:
        for cursor in self._cursors:
            cursor.close()

    def _open(self, query: str, *values: object) -> PageCursor:
        self._cursors.append(PageCursor(self._connection, query, *values))
        return self._cursors[-1]


class CheckedRows(_LogRows):
    """store.sample_log.integrity.inspection.RowSource: the rows in the order of their keys, in one transaction."""

    def read_events(self, columns: str) -> PageCursor:
        query = f"SELECT {columns} FROM events WHERE log_id = %s ORDER BY revision"
        return self._open(query, self._log_id)

    def read_samples(self, columns: str) -> PageCursor:
        query = f"SELECT {columns} FROM samples WHERE log_id = %s ORDER BY sample_id"
        return self._open(query, self._log_id)

    def read_links(self) -> list[tuple[str, str]]:
        query = "SELECT form, canonical FROM links WHERE log_id = %s ORDER BY position"
        return [(form, canonical) for form, canonical in self._connection.execute(query, (self._log_id,))]


class FactRows(_LogRows):
    """store.sample_log.summary.FactSource: the facts of live samples, in one transaction."""

    _FACTS = (
        "SELECT sample_id, label, predicted, loss, new_label, correction FROM samples "
        "WHERE log_id = %s AND NOT forgotten"
    )
    _TOUCHED = "SELECT sample_id FROM events WHERE log_id = %s AND revision > %s"

    def read_revision(self) -> int:
        query = "SELECT coalesce(max(revision), 0) FROM events WHERE log_id = %s"
        row = self._connection.execute(query, (self._log_id,)).fetchone()
        return int(row[0]) if row else 0

    def read_facts(self) -> PageCursor:
        return self._open(f"{self._FACTS} ORDER BY sample_id", self._log_id)

    def read_touched(self, since: int) -> list[int]:
        return [row[0] for row in self._connection.execute(self._TOUCHED, (self._log_id, since))]

    def read_touched_facts(self, since: int) -> PageCursor:
        query = f"{self._FACTS} AND sample_id IN ({self._TOUCHED})"
        return self._open(query, self._log_id, self._log_id, since)
