"""Copies a log from the database to a file as a server without a database keeps it, and back: for snapshots, exports
and restoring. Rows are copied as they are, checksums included.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from haleganada_server.store import files
from haleganada_server.store.sample_log import row_mapping, schema
from haleganada_server.store.sample_log.log import SqliteLog

from .connections import Connection
from .position import SET, Position
from .row_sources import PageCursor

_PAGE = 256
TABLES = {
    "events": (f"{row_mapping.EVENT}, digest", "revision"),
    "samples": (row_mapping.CHECKED_SAMPLE, "sample_id"),
    "links": ("form, canonical", "position"),
}
"""Columns of each table, and its order."""
_BOOLEAN = {"new_label", "correction", "forgotten"}
_ROW_BYTES = 500


def write_file(connection: Connection, position: Position, path: Path, name: str) -> None:
    """Write the log at a position to a new file; a transaction is open that sees it."""
    schema.create(path, name, position.created_us)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("BEGIN")
        for table, (columns, order) in TABLES.items():
            insert = f"INSERT INTO {table} ({columns}) VALUES ({row_mapping.places(columns)})"
            query = f"SELECT {columns} FROM {table} WHERE log_id = %s ORDER BY {order}"
            with closing(PageCursor(connection, query, position.log_id)) as cursor:
                while page := cursor.fetchmany(_PAGE):
                    file.executemany(insert, page)
        used = (schema.USED_SAMPLE_IDS, str(position.last_sample_id))
        file.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", used)
        file.execute("COMMIT")
    files.sync_file(path)


def load_file(connection: Connection, path: Path, name: str, log_id: int, embedded: int) -> Position:
    """Put the log in a finished file into the database under a new number, and return its position. A transaction is
    open. Raises DataLoss, sqlite3.Error for a file that is not sound.
    """
    with closing(SqliteLog(path, name)) as log:
        mark, created_us = log.mark, log.created_us
    with closing(schema.connect_reader(path)) as file:
        for table, (columns, order) in TABLES.items():
            names = columns.split(", ")
            booleans = [place for place, column in enumerate(names) if column in _BOOLEAN]
            into = f"COPY {table} (log_id, {columns}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for row in file.execute(f"SELECT {columns} FROM {table} ORDER BY {order}"):
                    values = list(row)
                    for place in booleans:
                        values[place] = bool(values[place])
                    copy.write_row((log_id, *values))
        size = file.execute(f"SELECT total(length(glyph) + length(embedding) + {_ROW_BYTES}) FROM samples").fetchone()
    return Position(
        log_id=log_id,
        created_us=created_us,
        revision=mark.revision,
        last_sample_id=mark.last_sample_id,
        samples_total=mark.samples_total,
        embedded=embedded,
        stored_bytes=int(size[0]),
        deleted=False,
        digest=mark.digest,
    )


def put_file(connection: Connection, name: str, before: Position, path: Path) -> Position:
    """Let the log in a finished file be a workspace's, in place of the one at a position; return the new position. A
    transaction is open that has locked the workspace's row. Raises as load_file does.
    """
    (log_id,) = connection.execute("SELECT nextval('log_ids')").fetchone() or (0,)
    position = load_file(connection, path, name, log_id, before.embedded)
    remove_log(connection, before.log_id)
    connection.execute(SET, (*position.values(), name))
    return position


def remove_log(connection: Connection, log_id: int) -> None:
    """Remove the rows of a log."""
    for table in TABLES:
        connection.execute(f"DELETE FROM {table} WHERE log_id = %s", (log_id,))


def emptied(position: Position) -> Position:
    """Return the position of a workspace that is deleted: what its next log goes on from."""
    return replace(position, deleted=True, samples_total=0, stored_bytes=0)
