"""A real PostgreSQL server for tests: in memory where there is room, as an unprivileged user, one for a test run."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haleganada_server.store import DataDirectory

from tests.support.network.ports import HOST, find_free_port

if TYPE_CHECKING:
    from haleganada_server.store.postgres.directory import PostgresDirectory

_USERS = ("postgres", "nobody")
_OPTIONS = f"-c listen_addresses={HOST} -c max_connections=200 -c unix_socket_directories= -c logging_collector=off"


def find_program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; "" where it is not installed."""
    places = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")])) or ""


def missing_postgres() -> str:
    """Why there can be no server; "" if there can."""
    if find_spec("psycopg_pool") is None or find_spec("yoyo") is None:
        return "the extra cluster is not installed"
    if not (find_program("initdb") and find_program("pg_ctl")):
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and (_find_user() is None or not shutil.which("setpriv")):
        return "PostgreSQL does not run as root, and there is no other user"
    return ""


@dataclass(frozen=True)
class PostgresServer:
    """A server whose data is in a folder of its own. It may be stopped, killed and started again."""

    folder: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://tester@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = f"-p {self.port} {_OPTIONS}"
        log = str(self.folder / "log")
        self._control("start", "-w", "-t", "60", "-l", log, "-o", options)

    def stop(self) -> None:
        """End it at once; connections break, and the next start recovers from the journal."""
        self._control("stop", "-w", "-m", "immediate")

    def kill(self) -> None:
        """End its first process as kill -9 does; the others end when they notice."""
        os.kill(int((self.folder / "data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def make_database(self, name: str, settings: str = "") -> str:
        """Return the address of a new, empty database. settings: how it is made."""
        execute(self.url(), f'CREATE DATABASE "{name}" TEMPLATE template0 {settings}')
        return self.url(name)

    def _control(self, *arguments: str) -> None:
        _run(find_program("pg_ctl"), "-D", str(self.folder / "data"), *arguments)


def open_postgres(url: str, own: DataDirectory, embedder_hash: str = "") -> PostgresDirectory:
    """Return the workspaces in a database, for a server with this data directory and these weights."""
    from haleganada_server.store.postgres.database import Database
    from haleganada_server.store.postgres.directory import PostgresDirectory

    return PostgresDirectory(Database(url), own, embedder_hash)


def drop_tables(url: str) -> None:
    """Remove what servers have made in a database."""
    execute(url, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS haleganada CASCADE")


def execute(url: str, statement: str) -> None:
    """Carry out a statement in a database."""
    import psycopg  # the extra may not be installed

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def fetch_all(url: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        return rows


@contextmanager
def postgres_server(place: Path | None = None) -> Iterator[PostgresServer]:
    """A server of one's own. place: the folder in which its data is; None = in memory."""
    folder = _make_folder(place)
    try:
        server = _start_in(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared_postgres(run_folder: Path) -> Iterator[PostgresServer]:
    """The server that all processes of a test run share; the last one that leaves stops it. run_folder: of the run."""
    place = run_folder / "postgres"
    with (run_folder / "postgres.users").open("w") as users:
        with _locked(run_folder / "postgres.lock"):
            if not place.exists():
                server = _start_in(_make_folder())
                place.write_text(f"{server.folder}\n{server.port}")
            fcntl.flock(users, fcntl.LOCK_SH)
        folder, port = place.read_text().split("\n")
        server = PostgresServer(Path(folder), int(port))
        try:
            yield server
        finally:
            with _locked(run_folder / "postgres.lock"), suppress(BlockingIOError):  # unless others still use it
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                server.stop()
                shutil.rmtree(folder, ignore_errors=True)
                place.unlink()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let no other process into such a block."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start_in(folder: Path) -> PostgresServer:
    options = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--username=tester"]
    _run(find_program("initdb"), "--pgdata", str(folder / "data"), *options)
    server = PostgresServer(folder, find_free_port())
    server.start()
    return server


def _make_folder(place: Path | None = None) -> Path:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=place or (memory if os.access(memory, os.W_OK) else None)))
    if place is not None:
        place.chmod(0o755)  # so that the server's user gets there
    if (user := _find_user()) is not None and os.geteuid() == 0:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _run(*command: str) -> None:
    """Run a program as a user that PostgreSQL accepts."""
    user = _find_user() if os.geteuid() == 0 else None
    # Not by arguments of subprocess, with which Python forks, and gRPC's threads do not survive that.
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if user else []
    done = subprocess.run(
        [*prefix, *command], cwd="/", stdin=subprocess.DEVNULL, capture_output="start" not in command, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def _find_user() -> pwd.struct_passwd | None:
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
