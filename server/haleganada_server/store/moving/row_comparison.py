"""Compares the log in a file with that in a database, row by row and column by column."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.store.postgres.connections import Connection
from haleganada_server.store.postgres.copying import TABLES
from haleganada_server.store.postgres.row_sources import CheckedRows, PageCursor
from haleganada_server.store.sample_log import schema
from haleganada_server.store.sample_log.integrity.checks import RowChecks
from haleganada_server.store.sample_log.integrity.inspection import inspect_rows

_PAGE = 256
_EMBEDDED = ("embedder_hash", "embedding", "embedding_check")
"""Columns of samples that servers with other weights compute anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How many rows were compared. reembedded: samples that other weights have embedded on one side."""

    events: int
    samples: int
    links: int
    reembedded: int


def compare_rows(path: Path, connection: Connection, name: str, log_id: int, created_us: int) -> Compared:
    """Compare all rows of a workspace's log in a finished file with those in a database, and these with their
    checksums. A transaction is open that sees one state. Raises DataLoss for the first difference.
    """
    with closing(schema.connect_reader(path)) as file:
        counted = {table: _compare_table(file, connection, table, log_id) for table in TABLES}
    with closing(CheckedRows(connection, log_id)) as rows:
        if lost := inspect_rows(rows, RowChecks(name, created_us)).describe():
            raise _difference(f"its rows are not sound in the database ({'; '.join(lost)})")
    return Compared(
        events=counted["events"][0],
        samples=counted["samples"][0],
        links=counted["links"][0],
        reembedded=counted["samples"][1],
    )


def _compare_table(file: sqlite3.Connection, connection: Connection, table: str, log_id: int) -> tuple[int, int]:
    """Return the number of rows, and how many of them other weights have embedded."""
    columns, order = TABLES[table]
    names = columns.split(", ")
    key = names.index(order) if order in names else 0
    cached = [names.index(column) for column in _EMBEDDED] if table == "samples" else []
    count = reembedded = 0
    here = file.execute(f"SELECT {columns} FROM {table} ORDER BY {order}")
    query = f"SELECT {columns} FROM {table} WHERE log_id = %s ORDER BY {order}"
    with closing(PageCursor(connection, query, log_id)) as there:
        while True:
            page, other = here.fetchmany(_PAGE), there.fetchmany(_PAGE)
            for row, found in zip_longest(page, other):
                if row is None or found is None:
                    raise _difference(f"one of both has more {table}")
                if row != found:
                    if not (cached and _differ_in_weights(row, found, cached)):
                        raise _difference(f"the row {row[key]} of {table} is not the same")
                    reembedded += 1
            count += len(page)
            if not page:
                return count, reembedded


def _differ_in_weights(row: tuple[object, ...], found: tuple[object, ...], cached: list[int]) -> bool:
    """Return whether two rows of a sample are the same but for their embeddings, which are of different weights."""
    others = all(one == other for place, (one, other) in enumerate(zip(row, found, strict=True)) if place not in cached)
    return others and row[cached[0]] != found[cached[0]]


def _difference(what: str) -> DataLoss:
    return DataLoss(f"the copy differs from the original: {what}; nothing was kept of it", Reason.WORKSPACE_CORRUPT)
