"""The rows that list what is in the object store, one kind of things at a time.

Files are written first and the row after them, in one transaction with its number in the order of changes; a thing that
is deleted keeps its row, so that other servers hear of it. A kill leaves files without a row at worst, which nobody
sees, and which are removed later (places.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.store.postgres.connections import Connection, Row
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import database_errors

from .changes import changing
from .object_store import Files, ObjectStore, sync_local
from .places import Places

_COLUMNS = "object_id, place, files, description, deleted, change"
_ADD = (
    "INSERT INTO objects (kind, object_id, place, files, description, deleted, change) "
    "VALUES (%s, %s, %s, %s, %s, false, nextval('changes')) ON CONFLICT DO NOTHING RETURNING change"
)
_DELETE = (
    "UPDATE objects SET deleted = true, change = nextval('changes') "
    "WHERE kind = %s AND object_id = %s AND NOT deleted RETURNING place"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that servers share. place, files: where it is in the object store. description: a text that its kind
    needs for a list.
    """

    object_id: str
    place: str
    files: Files
    description: str
    deleted: bool
    change: int


class Catalog:
    """The things of one kind. Safe from any thread."""

    def __init__(self, database: Database, objects: ObjectStore, kind: str) -> None:
        self._database, self._objects, self._kind = database, objects, kind
        self._places = Places(database, objects)

    def changing(self) -> AbstractContextManager[Connection]:
        """Return a transaction that has the turn among all servers, see changes.py."""
        return changing(self._database, self._kind)

    def fetch_rows(self, query: str) -> list[Row]:
        """Return the rows of a query. Raises Unavailable."""
        with database_errors(self._kind):
            return self._database.fetch(query)

    def publish(
        self,
        object_id: str,
        folder: Path,
        description: str = "",
        guard: Callable[[Connection], None] = lambda _connection: None,
    ) -> bool:
        """Let all servers have a finished folder, and return whether they have it; one that is listed already, or was
        deleted, stays so. guard: raises, in the transaction that lists it, if it must not be listed. Raises
        Unavailable.
        """
        place, written = self._places.write(folder, self._kind, object_id)
        reach("objects.written")
        added = None
        try:
            with changing(self._database, self._kind) as connection:
                guard(connection)
                values = (self._kind, object_id, place, json.dumps(written), description)
                added = connection.execute(_ADD, values).fetchone()
                if added is not None:
                    self._places.name(connection, place)
            reach("objects.listed")
        finally:
            if added is None:
                self._places.remove(place)
        return added is not None

    def withdraw(self, object_id: str, guard: Callable[[Connection], None] = lambda _connection: None) -> None:
        """Let no server have a folder any more. guard: raises, in the transaction, if it must stay. Raises
        Unavailable.
        """
        with changing(self._database, self._kind) as connection:
            guard(connection)
            found = connection.execute(_DELETE, (self._kind, object_id)).fetchone()
            if found is not None:
                self._places.unname(connection, found[0])
        reach("objects.unlisted")
        if found is not None:
            self._places.remove(found[0])

    def changed_after(self, change: int) -> list[Entry]:
        """Return what was added or deleted after a change, 0 = all there is, oldest first. Raises Unavailable."""
        query = f"SELECT {_COLUMNS} FROM objects WHERE kind = %s AND change > %s ORDER BY change"
        with database_errors(self._kind):
            found = self._database.fetch(query, (self._kind, change))
        return [_to_entry(*row) for row in found]

    def find(self, object_id: str) -> Entry | None:
        """Return what there is of this id and not deleted; None if there is nothing. Raises Unavailable."""
        query = f"SELECT {_COLUMNS} FROM objects WHERE kind = %s AND object_id = %s AND NOT deleted"
        with database_errors(self._kind):
            found = self._database.fetch(query, (self._kind, object_id))
        return _to_entry(*found[0]) if found else None

    def find_below(self, prefix: str) -> list[Entry]:
        """Return what there is, or was, whose ids begin so. Raises Unavailable."""
        query = f"SELECT {_COLUMNS} FROM objects WHERE kind = %s AND object_id >= %s AND object_id < %s"
        with database_errors(self._kind):
            found = self._database.fetch(query, (self._kind, prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)))
        return [_to_entry(*row) for row in found]

    def descriptions(self) -> list[str]:
        """Return the descriptions of all that is not deleted. Raises Unavailable."""
        query = "SELECT description FROM objects WHERE kind = %s AND NOT deleted"
        with database_errors(self._kind):
            return [row[0] for row in self._database.fetch(query, (self._kind,))]

    def fetch(self, entry: Entry, scratch: Path, target: Path) -> None:
        """Copy what a thing has to a folder of this server, which appears complete. scratch: a new path on the same
        disk. Raises DataLoss, Unavailable.
        """
        self._objects.get_folder(entry.place, entry.files, scratch)
        sync_local(scratch)
        reach("objects.fetched")
        try:
            scratch.rename(target)
        except OSError:
            if not target.is_dir():  # somebody else has fetched it meanwhile
                raise


def _to_entry(
    object_id: str, place: str, files: dict[str, list[int | str]], description: str, deleted: bool, change: int
) -> Entry:
    written = {name: (int(size), str(sha256)) for name, (size, sha256) in files.items()}
    return Entry(
        object_id=object_id, place=place, files=written, description=description, deleted=deleted, change=change
    )
