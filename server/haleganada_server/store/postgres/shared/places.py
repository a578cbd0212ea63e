"""Places in the object store, from the first file to the last.

A place is noted in the database before it is written, and in the transaction that no longer names it. So what a server
leaves behind that is killed is known, and removed a day later; and nothing else ever is, whatever lies in the store.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import HaleganadaError, Unavailable
from haleganada_server.store.postgres.connections import Connection
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import database_errors

from .object_store import Files, ObjectStore, object_place

_WHAT = "objects"
_PATIENCE_S = 24 * 3600.0  # longer than any upload; one that takes longer is refused at its end
_BEGIN = "INSERT INTO unlisted_places (place, useless) VALUES (%s, false)"
_NAME = "DELETE FROM unlisted_places WHERE place = %s AND NOT useless RETURNING place"
_UNNAME = "INSERT INTO unlisted_places (place, useless) VALUES (%s, true)"
_GIVE_UP = "UPDATE unlisted_places SET useless = true WHERE since < now() - make_interval(secs => %s) RETURNING place"
_FORGET = "DELETE FROM unlisted_places WHERE place = %s"
_log = logging.getLogger(__name__)


class Places:
    """The places of an object store. Safe from any thread."""

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self._database, self._objects = database, objects

    def write(self, folder: Path, kind: str, object_id: str) -> tuple[str, Files]:
        """Write all files of a folder to a new place; return the place, and what was written. Raises Unavailable."""
        place = object_place(kind, object_id)
        with database_errors(kind):
            self._database.execute(_BEGIN, (place,))
        try:
            return place, self._objects.put_folder(folder, place)
        except BaseException:
            self.remove(place)
            raise

    def name(self, connection: Connection, place: str) -> None:
        """Say, in the transaction that names it, that a place is in use. Raises Unavailable if it was given up."""
        if connection.execute(_NAME, (place,)).fetchone() is None:
            raise Unavailable(
                "the files were written for more than a day, and others have given them up; repeat the call",
                Reason.STORAGE_FAILED,
            )

    def unname(self, connection: Connection, place: str) -> None:
        """Say, in the transaction that no longer names it, that a place can go. remove() it when that is committed."""
        connection.execute(_UNNAME, (place,))

    def remove(self, place: str) -> None:
        """Remove the files of a place that no row names, now if possible."""
        if self._objects.remove(place):
            with suppress(HaleganadaError), database_errors(_WHAT):  # else the sweep looks at it once more
                self._database.execute(_FORGET, (place,))

    def sweep(self, patience_s: float = _PATIENCE_S) -> None:
        """Remove what servers have left that were killed. patience_s: so long ago. Raises Unavailable."""
        with database_errors(_WHAT):
            found = self._database.fetch(_GIVE_UP, (patience_s,))
        for (place,) in found:
            _log.info("%s in the object store was left by a server that was killed; it is removed", place)
            self.remove(place)
