"""What other servers have committed to a log: the events after a revision, with what a head needs of their samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from haleganada_server.core.sample_log.rows import Event, FollowedEvent
from haleganada_server.store.sample_log import row_mapping

from .connections import Connection

_EVENTS = ", ".join(f"e.{column}" for column in row_mapping.EVENT.split(", "))
_UNDONE = ", ".join(f"u.{column}" for column in row_mapping.EVENT.split(", "))
_WIDTH = len(row_mapping.EVENT.split(", "))
_QUERY = f"""
SELECT s.embedding, s.embedder_hash, {_EVENTS}, {_UNDONE}
FROM events e
LEFT JOIN samples s ON s.log_id = e.log_id AND s.sample_id = e.sample_id
LEFT JOIN events u ON e.target > 0 AND u.log_id = e.log_id AND u.revision = e.target
WHERE e.log_id = %s AND e.revision > %s ORDER BY e.revision
"""


def read_news(connection: Connection, log_id: int, revision: int) -> list[FollowedEvent]:
    """Return the events of a log after a revision, the oldest first."""
    return [_to_followed(*row) for row in connection.execute(_QUERY, (log_id, revision), binary=True)]


def _to_followed(embedding: bytes | None, embedder_hash: str | None, *rest: Any) -> FollowedEvent:
    event, undone = rest[:_WIDTH], rest[_WIDTH:]
    return FollowedEvent(
        event=row_mapping.to_event(event),
        undone=_to_event(undone),
        embedding=np.frombuffer(embedding or b"", dtype="<f4"),
        embedder_hash=embedder_hash or "",
    )


def _to_event(row: tuple[Any, ...]) -> Event | None:
    return replace(row_mapping.to_event(row), answer="") if row[0] is not None else None
