"""The summary of a log's live samples, computed within SQLite in one pass over the file."""

from __future__ import annotations

import sqlite3

from haleganada_server.core.sample_log.rows import Confusion, LabelSummary, LogSummary

# The rows of `samples` are long, because they hold drawings and embeddings. What counts here fits into memory.
_COLLECT = """
CREATE TEMP TABLE facts AS SELECT sample_id, label, loss, predicted, predicted = label AS recognized, new_label,
correction FROM samples WHERE forgotten = 0
"""
_SUMMARIZE = """
SELECT COUNT(*), AVG(loss), MIN(loss), MAX(loss), IFNULL(SUM(NOT new_label), 0),
IFNULL(SUM(NOT new_label AND recognized), 0), IFNULL(SUM(correction), 0) FROM facts
"""
# The least 2 sample_id + recognized is that of the first sample; its last bit tells whether that one was recognized.
_SUMMARIZE_LABELS = """
SELECT label, COUNT(*), AVG(loss), SUM(recognized) - MIN(2 * sample_id + recognized) % 2, MAX(sample_id) FROM facts
GROUP BY label ORDER BY MIN(sample_id)
"""
_FIND_CONFUSIONS = """
SELECT label, predicted, COUNT(*) FROM facts WHERE NOT new_label AND NOT recognized AND predicted <> ''
GROUP BY label, predicted ORDER BY COUNT(*) DESC, MIN(sample_id) LIMIT ?
"""


def summarize(connection: sqlite3.Connection, max_confusions: int) -> LogSummary:
    """Summarize the live samples. connection: of its own, for reading."""
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA query_only = OFF")  # a temporary table counts as writing
    connection.execute(_COLLECT)
    samples, average, least, most, tested, recognized, corrections = connection.execute(_SUMMARIZE).fetchone()
    return LogSummary(
        samples=samples,
        average_loss=average,
        min_loss=least,
        max_loss=most,
        tested=tested,
        recognized=recognized,
        corrections=corrections,
        labels=tuple(LabelSummary(*row) for row in connection.execute(_SUMMARIZE_LABELS)),
        confusions=tuple(Confusion(*row) for row in connection.execute(_FIND_CONFUSIONS, (max_confusions,))),
    )
