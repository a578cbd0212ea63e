"""The outbox: taught drawings that wait on this machine until their server can be reached, in the order of teaching.

Every drawing is on the disk before anything is sent, bears a request id of its own, and is deleted when the server has
acknowledged it. So a kill at any moment loses none, and what was sent twice is taught once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path

from .client import HaleganadaClient
from .errors import AlreadyExists, FailedPrecondition, HaleganadaError, InvalidInput, from_item
from .types import ItemError, Lesson, Taught
from .user_files import DATA, find_user_file

_VERSION = 1
_SCHEMA = """
CREATE TABLE lessons (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    target TEXT NOT NULL,
    workspace TEXT NOT NULL,
    label TEXT NOT NULL,
    variant_of TEXT NOT NULL,
    picture BLOB NOT NULL,
    synthetic INTEGER NOT NULL,
    known_drawings TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    kept_at TEXT NOT NULL,
    problem TEXT NOT NULL DEFAULT ''
)
"""
_FINAL = frozenset({"VARIANT_CYCLE", "ALREADY_LINKED", "HAS_FORMS"})
"""Reasons for which a drawing will be refused again, whenever it is sent, beside InvalidInput and AlreadyExists."""


@dataclass(frozen=True, kw_only=True)
class KeptLesson:
    """A drawing that waits. number: its place; 0 = not kept yet. target: its server's address. picture: a file's
    content. known_drawings, batch_id: as in HaleganadaClient.train_batch. kept_at: in UTC. problem: why the server
    refused it, "" if it has not.
    """

    number: int = 0
    request_id: str
    target: str
    workspace: str
    label: str
    variant_of: str = ""
    picture: bytes
    synthetic: bool = False
    known_drawings: str = ""
    batch_id: str = ""
    kept_at: datetime = datetime.min
    problem: str = ""


_COLUMNS = [field.name for field in fields(KeptLesson)]


def outbox_path() -> Path:
    """Return the file of the outbox: $HALEGANADA_OUTBOX, or outbox.sqlite3 in the user's folder of data."""
    return find_user_file("HALEGANADA_OUTBOX", DATA, "outbox.sqlite3")


class Outbox:
    """The drawings that wait, in a file that several processes may use at once.

    Every method raises HaleganadaError for a file that cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        """path: None = outbox_path(). The file appears with the first drawing."""
        self.path = path or outbox_path()

    def add(self, lessons: Iterable[KeptLesson]) -> list[int]:
        """Keep drawings behind those that wait; they are on the disk when this returns. Return their numbers."""
        names = _COLUMNS[1:]
        statement = f"INSERT INTO lessons ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        now = datetime.now(timezone.utc).isoformat()
        with self._open() as file:
            values = ([now if name == "kept_at" else getattr(one, name) for name in names] for one in lessons)
            return [int(file.execute(statement, row).lastrowid or 0) for row in values]

    def list(self, target: str = "") -> Sequence[KeptLesson]:
        """Return the drawings that wait, with those that were refused, oldest first. target: only for this server."""
        where, values = ("WHERE target = ?", [target]) if target else ("", [])
        return self._select(f"{where} ORDER BY number", values)

    def discard(self, numbers: Iterable[int]) -> int:
        """Delete drawings; return how many there were."""
        with self._open() as file:
            return sum(file.execute("DELETE FROM lessons WHERE number = ?", [one]).rowcount for one in numbers)

    def send(
        self, client: HaleganadaClient, patience_s: float = 0.0
    ) -> Iterator[tuple[KeptLesson, Taught | ItemError]]:
        """Send what waits for the client's server, in order, and yield each drawing with what became of it.

        One that the server refuses stays, with the reason, and is not sent again. Raise what else a call raises, and
        FailedPrecondition if another process is sending for longer than patience_s.
        """
        target = client.config.target
        with self._sending(patience_s):
            while found := self._select("WHERE target = ? AND problem = '' ORDER BY number LIMIT 1", [target]):
                lesson = found[0]
                outcome = _send(client, lesson)
                if isinstance(outcome, ItemError):
                    self._note_problem(lesson.number, outcome.message)
                else:
                    self.discard([lesson.number])
                yield lesson, outcome

    def _select(self, rest: str, values: Sequence[str]) -> Sequence[KeptLesson]:
        if not self.path.exists():
            return []
        with self._open() as file:
            rows = file.execute(f"SELECT {', '.join(_COLUMNS)} FROM lessons {rest}", values).fetchall()
        return [_parse(dict(zip(_COLUMNS, row, strict=True))) for row in rows]

    def _note_problem(self, number: int, problem: str) -> None:
        with self._open() as file:
            file.execute("UPDATE lessons SET problem = ? WHERE number = ?", [problem, number])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Yield the file in one transaction, which is on the disk at the end of the block."""
        self._make_private(self.path)
        with self._errors(), closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as file:
            file.execute("PRAGMA synchronous = EXTRA")
            file.execute("BEGIN IMMEDIATE")
            version = file.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                file.execute(_SCHEMA)
                file.execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                raise HaleganadaError(f"{self.path} is of a newer version; update this client")
            yield file
            file.execute("COMMIT")

    @contextmanager
    def _sending(self, patience_s: float) -> Iterator[None]:
        """Let nobody else send in the block, so that the order is kept. A process that ends gives up its turn."""
        turn = self.path.with_suffix(".turn")
        self._make_private(turn)
        with self._errors(), closing(sqlite3.connect(turn, timeout=patience_s, isolation_level=None)) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                problem = "another command is sending what waits; try again when it is done"
                raise FailedPrecondition(problem, "OUTBOX_BUSY") from None
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise HaleganadaError(f"{self.path} cannot be used: {error}; move it away to start a new one") from None

    @staticmethod
    def _make_private(path: Path) -> None:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)


def _send(client: HaleganadaClient, lesson: KeptLesson) -> Taught | ItemError:
    """Raise HaleganadaError if it may well succeed later."""
    try:
        return _teach(client, lesson)
    except HaleganadaError as error:
        if isinstance(error, (InvalidInput, AlreadyExists)) or error.reason in _FINAL:
            return ItemError(3, error.reason, error.message, error.field)
        raise


def _teach(client: HaleganadaClient, lesson: KeptLesson) -> Taught:
    known, workspace = lesson.known_drawings, lesson.workspace
    if not (lesson.batch_id or lesson.synthetic):
        return client.train(
            lesson.picture,
            lesson.label,
            variant_of=lesson.variant_of,
            request_id=lesson.request_id,
            known_drawings=known,
            workspace=workspace,
        )
    item = Lesson(lesson.picture, lesson.label, lesson.variant_of, lesson.request_id, lesson.synthetic)
    [outcome] = client.train_batch([item], batch_id=lesson.batch_id, known_drawings=known, workspace=workspace)
    if isinstance(outcome, ItemError):
        raise from_item(outcome)
    return outcome


def _parse(row: dict[str, object]) -> KeptLesson:
    kept_at = datetime.fromisoformat(str(row["kept_at"]))
    return KeptLesson(**{**row, "kept_at": kept_at, "synthetic": bool(row["synthetic"])})  # type: ignore[arg-type]
