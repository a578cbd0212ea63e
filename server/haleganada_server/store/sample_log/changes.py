"""Who changed a workspace, read from its log without opening it, so also beside a server that uses it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from haleganada_server.core.access.audit import AuditEntry
from haleganada_server.core.access.identity import Caller
from haleganada_server.core.sample_log.rows import ChangeKind

from . import schema

_REPLACED = {ChangeKind.RESET.value, ChangeKind.RESTORE.value}
"""These are in the audit trail: the log that tells of them is replaced by the next one."""


def read_changes(log: Path, workspace: str, since_us: int) -> Iterator[AuditEntry]:
    """Yield what was taught, corrected, relabeled, forgotten, linked and taken back, the oldest first. since_us:
    microseconds since 1970 UTC. Raises sqlite3.Error for a log that cannot be read.
    """
    query = "SELECT time_us, client, kind, label, sample_id FROM events WHERE time_us >= ? ORDER BY revision"
    with closing(schema.connect_reader(log)) as connection:
        for time_us, client, kind, label, sample_id in connection.execute(query, (since_us,)):
            if kind not in _REPLACED:
                detail = f"{label} #{sample_id}" if sample_id else label
                yield AuditEntry(time_us, Caller.parse(client), kind, workspace, detail)


READING_ERRORS = (sqlite3.Error, OSError)
"""What read_changes raises for a log that is damaged, or is deleted just now."""
