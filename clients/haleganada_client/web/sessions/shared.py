"""Sessions in a small file of SQLite, for a page that runs in several processes of one machine (gunicorn -w 4).

What the file has is of no use to who reads it: a session is found by a hash of its number, which only its browser
keeps, and its token is encrypted by that number, by XOR with a stream of SHAKE-256; each number is random, has 256 bits
and encrypts once. A power failure may cost the file, and then people log in again.

Each operation opens the file anew: it takes a fraction of a millisecond, and no connection is carried across a fork.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from haleganada_client.errors import FailedPrecondition, NotAllowed
from haleganada_client.user_files import DATA, find_user_file
from haleganada_client.web.addresses import network_of

from .ports import MAX_ADDRESSES, MAX_SESSIONS, MAX_TRIES, TRIES_S, hash_number, is_over, new_number
from .tries import too_many_tries

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (id BLOB PRIMARY KEY, token BLOB NOT NULL, began REAL NOT NULL, used REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tries (number INTEGER PRIMARY KEY, source TEXT NOT NULL, time REAL NOT NULL,
    is_wrong INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS tries_by_source ON tries (source);
CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_log = logging.getLogger(__name__)
_BUSY_S = 5.0
_KEY_BYTES = 32
_NOTE_S = 60.0  # how exactly it is noted when a session was used last: not each request writes
_PAUSE_S, _PATIENCE_S = 0.02, 5.0  # of who waits for the tries of others


def sessions_path() -> Path:
    """Return the file: $HALEGANADA_SESSIONS, or page-sessions.sqlite3 in the user's folder of data."""
    return find_user_file("HALEGANADA_SESSIONS", DATA, "page-sessions.sqlite3")


class SharedSessions:
    """SessionStore of all processes that name the same file and server. Every method raises FailedPrecondition for a
    file that cannot be used.
    """

    def __init__(self, path: Path, server: str) -> None:
        """server: the address for which tokens are; sessions of other servers are not found, so that no token is shown
        to a server that it is not for.
        """
        self._path, self._server = path, server

    def begin(self, token: str) -> str:
        number, now = new_number(), time.time()
        with self._write() as file:
            _forget_old(file, now)
            values = (self._id(number), self._encrypt(number, token.encode()), now, now)
            file.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", values)
        return number

    def find(self, number: str) -> str | None:
        if not self._path.exists():
            return None
        key, now = self._id(number), time.time()
        with self._open() as file:
            found = file.execute("SELECT token, began, used FROM sessions WHERE id = ?", (key,)).fetchone()
        if found is None:
            return None
        encrypted, began, used = found
        if is_over(now, began, used) or began > now + _NOTE_S:  # the second after the clock was set back
            self.end(number)
            return None
        if now - used > _NOTE_S:
            with self._write() as file:
                file.execute("UPDATE sessions SET used = ? WHERE id = ?", (now, key))
        return self._encrypt(number, encrypted).decode()

    def end(self, number: str) -> None:
        if self._path.exists():
            with self._write() as file:
                file.execute("DELETE FROM sessions WHERE id = ?", (self._id(number),))

    @contextmanager
    def one_try(self, address: str) -> Iterator[None]:
        """See SessionStore. A try counts as a wrong one until it is over, so that none slips through between; who has
        too few left waits until those of others are over. What a killed process has tried counts for its time.
        """
        mine, is_wrong = self._claim_try(network_of(address)), False
        try:
            yield
        except NotAllowed:
            is_wrong = True
            raise
        finally:
            with self._write() as file:
                if is_wrong:
                    values = (time.time(), mine)
                    file.execute("UPDATE tries SET is_wrong = 1, time = ? WHERE number = ?", values)
                else:
                    file.execute("DELETE FROM tries WHERE number = ?", (mine,))

    def signing_key(self) -> bytes:
        query = "SELECT value FROM keys WHERE name = 'signing'"
        with self._open(make=True) as file:
            if found := file.execute(query).fetchone():
                return bytes(found[0])
            file.execute("INSERT OR IGNORE INTO keys VALUES ('signing', ?)", (secrets.token_bytes(_KEY_BYTES),))
            return bytes(file.execute(query).fetchone()[0])

    def _claim_try(self, source: str) -> int:
        """Note that an address tries a token; return the note's number. Raises Exhausted."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            now = time.time()
            with self._write() as file:
                file.execute("DELETE FROM tries WHERE time <= ? OR time > ?", (now - TRIES_S, now + _NOTE_S))
                query = "SELECT is_wrong, time FROM tries WHERE source = ? ORDER BY time"
                tries = file.execute(query, (source,)).fetchall()
                if len(tries) < MAX_TRIES:
                    _limit(file, "tries", MAX_ADDRESSES * MAX_TRIES, "time")
                    values = (source, now)
                    noted = file.execute("INSERT INTO tries (source, time, is_wrong) VALUES (?, ?, 0)", values)
                    return int(noted.lastrowid or 0)
            if all(is_wrong for is_wrong, _ in tries) or time.monotonic() > until:
                raise too_many_tries(tries[0][1] + TRIES_S - now)
            time.sleep(_PAUSE_S)

    def _id(self, number: str) -> bytes:
        return hash_number(number, f"session at {self._server} ")

    def _encrypt(self, number: str, text: bytes) -> bytes:
        """Encrypt a token, or decrypt it."""
        stream = hashlib.shake_256(f"token at {self._server} {number}".encode("utf-8", "surrogatepass"))
        return bytes(one ^ other for one, other in zip(text, stream.digest(len(text)), strict=True))

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Give the block the file, which it alone changes; make the file if there is none."""
        with self._open(make=True) as file:
            file.execute("BEGIN IMMEDIATE")
            yield file
            file.execute("COMMIT")

    @contextmanager
    def _open(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if make:
                _make_private(self._path)
            _require_private(self._path)
            address = f"{self._path.absolute().as_uri()}?mode=rw"  # which makes no file
            with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)) as file:
                file.execute("PRAGMA synchronous = OFF")
                if file.execute("PRAGMA user_version").fetchone()[0] == 0:
                    file.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = 1; COMMIT")
                yield file
        except sqlite3.OperationalError as error:
            raise _unusable(self._path, str(error)) from error
        except sqlite3.DatabaseError as error:  # damaged, for example by a power failure
            with suppress(OSError):
                self._path.unlink()
            raise _unusable(self._path, f"{error}; it is made anew, so try again") from error
        except OSError as error:
            raise _unusable(self._path, error.strerror or str(error)) from error


def _make_private(path: Path) -> None:
    """Make an empty file that only this user may read, if there is none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _require_private(path: Path) -> None:
    """Raise PermissionError for a file that others may read or change, or have made, also by way of its folder."""
    if os.name == "nt":
        return
    found = path.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or path.is_symlink():
        raise PermissionError(0, "others may use it, or it is another user's; delete it")
    if path.parent.stat().st_mode & 0o022:  # who could put a journal beside it
        raise PermissionError(0, "others may write to its folder; name a file in one of its own, which is made")


def _forget_old(file: sqlite3.Connection, now: float) -> None:
    for key, began, used in file.execute("SELECT id, began, used FROM sessions").fetchall():
        if is_over(now, began, used):
            file.execute("DELETE FROM sessions WHERE id = ?", (key,))
    _limit(file, "sessions", MAX_SESSIONS, "used")


def _limit(file: sqlite3.Connection, table: str, most: int, order: str) -> None:
    """Delete the rows of a table that come first, so that there is room for another one."""
    count = file.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
    if count >= most:
        oldest = f"SELECT rowid FROM {table} ORDER BY {order} LIMIT ?"
        file.execute(f"DELETE FROM {table} WHERE rowid IN ({oldest})", (count - most + 1,))


def _unusable(path: Path, why: str) -> FailedPrecondition:
    _log.warning("the file of sessions, %s, cannot be used: %s", path, why)
    return FailedPrecondition(
        "the page runs in several processes, and the file in which they keep who has logged in cannot be used "
        f"({why}). The page's log has its name; name another one with HALEGANADA_SESSIONS, in a folder of the page's "
        "user, or start the page with one worker and more threads (gunicorn --workers 1 --threads 16)",
        "SEVERAL_PROCESSES",
    )
