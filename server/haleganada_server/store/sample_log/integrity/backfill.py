"""Adds checksums to the rows of a file that was written before there were any."""

from __future__ import annotations

import sqlite3

import numpy as np

from .checks import CHECKED_EVENT, CHECKED_FACTS, UNREADABLE, RowChecks


def add_checks(connection: sqlite3.Connection, checks: RowChecks) -> None:
    """Fill the checksums of all rows; a transaction is open. An embedding that is visibly damaged becomes stale, so
    that it is computed again. Raises sqlite3.DatabaseError for a row that is visibly damaged.
    """
    try:
        _add_digests(connection, checks)
        _add_sample_checks(connection, checks)
    except UNREADABLE as error:
        raise sqlite3.DatabaseError(f"a row is malformed: {error}") from error


def _add_digests(connection: sqlite3.Connection, checks: RowChecks) -> None:
    digest, digests = checks.start, []
    for row in connection.execute(f"SELECT {CHECKED_EVENT} FROM events ORDER BY revision"):
        digest = checks.event_digest(digest, row)
        digests.append((digest, row[0]))
    connection.executemany("UPDATE events SET digest = ? WHERE revision = ?", digests)


def _add_sample_checks(connection: sqlite3.Connection, checks: RowChecks) -> None:
    query = (
        f"SELECT {CHECKED_FACTS}, embedder_hash, embedding, glyph_kind, glyph FROM samples WHERE sample_id > ? "
        "ORDER BY sample_id LIMIT 1000"
    )
    last = -(2**63)
    while page := connection.execute(query, (last,)).fetchall():
        values = []
        for *facts, embedder_hash, embedding, glyph_kind, glyph in page:
            last = facts[0]
            if len(embedding) % 4 or not np.isfinite(np.frombuffer(embedding, dtype="<f4")).all():
                embedder_hash = ""
            values.append(
                (
                    embedder_hash,
                    checks.facts_check(facts),
                    checks.embedding_check(last, embedder_hash, embedding),
                    checks.glyph_check(last, glyph_kind, glyph),
                    last,
                )
            )
        connection.executemany(
            "UPDATE samples SET embedder_hash = ?, facts_check = ?, embedding_check = ?, glyph_check = ? "
            "WHERE sample_id = ?",
            values,
        )
