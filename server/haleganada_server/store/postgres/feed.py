"""How the servers of a database hear of each other's changes: a notice after each commit, and a look at the loaded
workspaces every second, should a notice be lost. It also is what finds out that the database is away, and back.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from secrets import token_hex

import psycopg

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import HaleganadaError, Precondition
from haleganada_server.core.workspaces.types import Lag

from .connections import Connection
from .database import Database
from .errors import UNREACHABLE

_CHANNEL = "haleganada"
_LOOK_S = 1.0
_LATE_S = 3.0  # after which what is known counts as old
_RETRY_S = 0.25
_JOIN_S = 10.0
_WEIGHTS_LOCK = 0x48414C45
_POSITIONS = "SELECT name, log_id, embedded, revision FROM workspaces WHERE name = ANY(%s)"
_OTHERS = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid <> %s "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_log = logging.getLogger(__name__)


class Feed:
    """Two threads: one listens, one tells. Safe from any thread. close() it once."""

    def __init__(self, database: Database, embedder_hash: str) -> None:
        """Connect. embedder_hash: of the current weights, which must be those of all servers. Raises Precondition."""
        self._database, self._weights = database, int(embedder_hash[:7] or "0", 16)
        self._server_id = token_hex(8)
        self._closing, self._told = threading.Event(), threading.Event()
        self._to_tell: set[str] = set()
        self._lock = threading.Lock()
        self._heard_s = self._current_s = time.monotonic()
        self._behind = 0
        self._threads: list[threading.Thread] = []
        try:
            self._connection = self._connect()
        except UNREACHABLE as error:
            raise Precondition(
                f"the {database.address} went away while the server started; start it again",
                StartReason.DATABASE_UNUSABLE,
            ) from error

    def start(self, on_changed: Callable[[str], None], loaded: Callable[[], Mapping[str, int]]) -> None:
        """See WorkspaceDirectory.follow."""
        work = ("listen", self._listen, (on_changed, loaded)), ("notify", self._keep_telling, ())
        for name, target, arguments in work:
            self._threads.append(threading.Thread(target=target, args=arguments, name=name, daemon=True))
            self._threads[-1].start()

    def tell(self, name: str) -> None:
        """Tell the other servers, soon, that a workspace has changed."""
        with self._lock:
            self._to_tell.add(name)
        self._told.set()

    def age_s(self) -> float:
        """Return how many seconds ago the database was heard last; 0 if that is as usual."""
        age_s = time.monotonic() - self._heard_s
        return age_s if age_s > _LATE_S or self._database.is_away else 0.0

    def measure_lag(self) -> Lag:
        """Return how well this server follows the others."""
        now_s = time.monotonic()
        return Lag(
            is_current=not self._database.is_away and now_s - self._current_s <= _LATE_S,
            is_away=self._database.is_away,
            look_age_s=now_s - self._heard_s,
            behind_revisions=self._behind,
        )

    def close(self) -> None:
        """Stop both threads."""
        self._closing.set()
        self._told.set()
        with suppress(HaleganadaError, psycopg.Error):  # which wakes up who listens
            self._database.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, "bye"))
        for thread in self._threads:
            thread.join(_JOIN_S)
        self._connection.close()

    def _connect(self) -> Connection:
        """Return a connection that hears notices. Raises Precondition if servers with other weights are there."""
        connection = self._database.connect()
        connection.execute(f"LISTEN {_CHANNEL}")
        connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (_WEIGHTS_LOCK, self._weights))
        (others,) = connection.execute(_OTHERS, (_WEIGHTS_LOCK, self._weights)).fetchone() or (0,)
        if others:
            connection.close()
            raise Precondition(
                "other servers use this database with other weights, and would embed every sample again and again: "
                "stop them first, or start this server with their --weights",
                StartReason.DATABASE_UNUSABLE,
            )
        return connection

    # Listening

    def _listen(self, on_changed: Callable[[str], None], loaded: Callable[[], Mapping[str, int]]) -> None:
        ears = _Ears(self._server_id, on_changed)
        while not self._closing.is_set():
            try:
                self._hear(ears, loaded)
            except UNREACHABLE as error:
                if not (self._closing.is_set() or self._database.is_away):
                    _log.error("the %s is away: %s", self._database.address, " ".join(str(error).split()))
                self._database.note_away()
                self._come_back()
            except Exception:
                _log.exception("listening to other servers failed; it goes on")
                self._closing.wait(_RETRY_S)

    def _hear(self, ears: _Ears, loaded: Callable[[], Mapping[str, int]]) -> None:
        """Look at the loaded workspaces, then wait for notices until the next look."""
        names = list(loaded())
        found = self._connection.execute(_POSITIONS, (names,)).fetchall()
        self._heard_s = time.monotonic()
        ears.take_positions(names, {name: tuple(position) for name, *position in found})
        self._note_behind({name: revision for name, _, _, revision in found}, loaded())
        end_s = time.monotonic() + _LOOK_S
        while (left_s := end_s - time.monotonic()) > 0 and not self._closing.is_set():
            notices = self._connection.notifies(timeout=left_s, stop_after=1)
            ears.take_notices([notice.payload for notice in notices])

    def _note_behind(self, committed: Mapping[str, int], known: Mapping[str, int]) -> None:
        """Compare the revisions that were found with those that are known now."""
        self._behind = sum(max(0, revision - known.get(name, revision)) for name, revision in committed.items())
        if not self._behind:
            self._current_s = self._heard_s

    def _come_back(self) -> None:
        """Connect again, as soon as that is possible."""
        while not self._closing.wait(_RETRY_S):
            self._connection.close()
            try:
                self._connection = self._connect()
            except UNREACHABLE:
                continue
            except Precondition as error:
                _log.critical("%s", error.message)
                continue
            self._database.note_back()
            _log.warning("the %s is back", self._database.address)
            return

    # Telling

    def _keep_telling(self) -> None:
        connection: Connection | None = None
        while not self._closing.is_set():
            self._told.wait()
            self._told.clear()
            with self._lock:
                names, self._to_tell = self._to_tell, set()
            try:
                connection = connection or self._connect_to_tell()
                _tell(connection, self._server_id, names)
            except UNREACHABLE:  # the others look for themselves
                if connection is not None:
                    connection.close()
                connection = None
                self._closing.wait(_RETRY_S)
        if connection is not None:
            connection.close()

    def _connect_to_tell(self) -> Connection:
        connection = self._database.connect()
        connection.execute("SET synchronous_commit = off")  # a notice that is lost does no harm
        return connection


class _Ears:
    """What one server makes of what it hears."""

    def __init__(self, server_id: str, on_changed: Callable[[str], None]) -> None:
        self._server_id, self._on_changed = server_id, on_changed
        self._seen: dict[str, tuple[int, ...]] = {}

    def take_positions(self, names: Iterable[str], positions: dict[str, tuple[int, ...]]) -> None:
        """Pass on the workspaces that have changed since the last look."""
        seen, self._seen = self._seen, positions
        for name in names:
            if name not in positions or seen.get(name) != positions[name]:
                self._pass_on(name)

    def take_notices(self, payloads: Iterable[str]) -> None:
        """Pass on the workspaces that others have changed, once each."""
        for name in dict.fromkeys(self._name_in(payload) for payload in payloads):
            if name:
                self._pass_on(name)

    def _name_in(self, payload: str) -> str:
        """Return the workspace that a notice names; "" for one of this server's own."""
        with suppress(ValueError, TypeError):
            server_id, name = json.loads(payload)
            if server_id != self._server_id and isinstance(name, str):
                return name
        return ""

    def _pass_on(self, name: str) -> None:
        try:
            self._on_changed(name)
        except HaleganadaError as error:  # the next look tries again
            _log.info("workspace %r: what others have changed is not known yet: %s", name, error.message)
            self._seen.pop(name, None)
        except Exception:
            _log.exception("workspace %r: what others have changed cannot be followed", name)
            self._seen.pop(name, None)


def tell_of(connection: Connection, name: str, server_id: str = "") -> None:
    """Tell all servers, when the transaction is committed, that a workspace has changed. server_id: of the one that
    knows it already.
    """
    connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, json.dumps([server_id, name])))


def _tell(connection: Connection, server_id: str, names: Iterable[str]) -> None:
    with connection.pipeline():
        for name in names:
            tell_of(connection, name, server_id)
