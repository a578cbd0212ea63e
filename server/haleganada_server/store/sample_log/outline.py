"""Reads what lists show of a workspace from its file, in a millisecond or so."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from haleganada_server.core.disk.files import measure_size
from haleganada_server.core.workspaces.ports import LogOutline
from haleganada_server.store.errors import storage_errors, unreadable

from . import schema

_QUERY = """
SELECT (SELECT IFNULL(MAX(revision), 0) FROM events),
       (SELECT COUNT(*) FROM samples WHERE forgotten = 0),
       (SELECT COUNT(DISTINCT label) FROM samples WHERE forgotten = 0),
       (SELECT COUNT(*) FROM samples WHERE forgotten = 0 AND embedder_hash <> ?),
       (SELECT value FROM meta WHERE key = 'created_us')
"""


def read_outline(path: Path, name: str, embedder_hash: str) -> LogOutline:
    """Return a summary of an existing file. Only what it needs is read, so damage elsewhere is not noticed. Raises
    DataLoss.
    """
    with storage_errors(name, path):
        with closing(schema.connect_reader(path)) as connection:
            schema.check_version(connection, name)
            revision, samples, labels, stale, created_us = connection.execute(_QUERY, (embedder_hash,)).fetchone()
        size = path.stat().st_size + measure_size(path.with_name(path.name + "-wal"))
    if created_us is None or not created_us.isdecimal():
        raise unreadable(name, "its time of creation is missing")
    return LogOutline(
        revision=revision,
        samples_total=samples,
        labels_known=labels,
        samples_to_embed=stale,
        created_us=int(created_us),
        bytes_on_disk=size,
    )
