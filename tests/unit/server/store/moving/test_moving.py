"""What was taught moves from a data directory to a database and back, whole, once, and never over anything else."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from haleganada_server.core.disk.failpoints import VARIABLE
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.support.postgres import execute, fetch_all, open_postgres
from tests.support.preloaded import run_preloaded
from tests.support.slow import slow
from tests.unit.server.store.rows import forget, link, reset_event, teach, teach_all

pytest.importorskip("psycopg_pool", reason="the extra cluster is not installed")

Files = dict[str, bytes]
_POSITIONS = "SELECT name, log_id, revision, deleted FROM haleganada.workspaces ORDER BY name"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data directory with two workspaces, and one that was deleted."""
    folder = tmp_path / "source"
    with closing(DataDirectory(folder, PillowRasterizer())) as directory:
        for name in ("gone", "ಕ", "letters"):
            with closing(directory.create(name)) as log:
                change_at_random(log, random.Random(len(name)))
        directory.delete("gone", None)
    return folder


def change_at_random(log: WorkspaceLog, chance: random.Random, changes: int = 30) -> None:
    """Change a log in many ways."""
    for number in range(changes):
        with log.transaction() as transaction:
            label = f"L{chance.randrange(4)}"
            taught = teach(transaction, label, f"{log.revision()}-{number}", chance.choice(("ink", "png")))
            if chance.random() < 0.3:
                forget(transaction, taught)
            if chance.random() < 0.3:
                link(transaction, label, f"M{chance.randrange(3)}")


def open_source(folder: Path) -> DataDirectory:
    return DataDirectory(folder, PillowRasterizer())


def teach_in(folder: Path, name: str, label: str = "later") -> None:
    """Teach one sample in a data directory."""
    with closing(open_source(folder)) as directory, closing(directory.open(name)) as log:
        teach_all(log, [label])


def migrate(source: str | Path, target: str | Path, *options: str, point: str = "") -> str:
    """Run the command in a process of its own, killed at a failpoint if one is named; return what it says."""
    line = ["-m", "haleganada_server", "migrate", "--from", str(source), "--to", str(target), *options]
    done = run_preloaded(line, env={**os.environ, VARIABLE: point})
    if point:
        assert done.returncode == -signal.SIGKILL, f"{point} is not reached: {done.stderr}"
    return f"{done.returncode}: {done.stdout}{done.stderr}"


def read_files(folder: Path) -> Files:
    """Return the content of all files in a folder, but the index that SQLite makes for readers."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def read_tables(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of a workspace's file."""
    tables = ("events", "samples", "links", "meta")
    with closing(sqlite3.connect(file)) as connection:
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def assert_same_logs(one: Path, other: Path) -> None:
    """Assert that two data directories have the same workspaces, with the same rows."""
    first, second = (
        {path.parent.name: path for path in root.glob("workspaces/*/log.sqlite3")} for root in (one, other)
    )
    assert first.keys() == second.keys() and first
    for home, path in first.items():
        mine, theirs = read_tables(path), read_tables(second[home])
        assert mine["events"] == theirs["events"] and mine["samples"] == theirs["samples"]
        assert [row[1:] for row in mine["links"]] == [row[1:] for row in theirs["links"]]


def test_there_and_back(source: Path, database_url: str, tmp_path: Path) -> None:
    before = read_files(source)
    said = migrate(source, database_url)
    assert said.startswith("0: ") and "2 workspaces, " in said and "start servers with --store" in said.lower(), said
    assert "1 deleted workspace of the source" in said and "gone" not in said
    assert read_files(source) == before
    back = tmp_path / "back"
    assert migrate(database_url, back).startswith("0: ")
    assert_same_logs(source, back)
    with closing(open_source(back)) as directory, closing(open_source(source)) as original:
        assert directory.names() == original.names() == ["letters", "ಕ"]
        for name in directory.names():
            directory.open(name).close()
        ids = []
        for one in (directory, original):  # a deleted workspace goes on with greater numbers
            with closing(one.create("gone")) as log:
                ids.append((log.revision(), log.last_sample_id()))
        assert ids[0] == ids[1] and ids[0][1] > 0


def test_servers_of_the_database_use_what_was_moved(source: Path, database_url: str, tmp_path: Path) -> None:
    own = DataDirectory(tmp_path / "own", PillowRasterizer())
    with closing(open_postgres(database_url, own)) as replica:
        with closing(replica.create("letters")):  # which its server made and nobody has taught
            assert migrate(source, database_url).startswith("0: ")
        with (
            closing(open_source(source)) as directory,
            closing(directory.open("letters")) as original,
            closing(replica.open("letters")) as log,
        ):
            assert [one.sample_id for one in log.all_samples()] == [one.sample_id for one in original.all_samples()]
            assert log.links() == original.links() and log.last_event() == original.last_event()
            teach_all(log, ["more"])
            assert log.last_sample_id() == original.last_sample_id() + 1


def test_a_repeated_run_moves_what_is_new(source: Path, database_url: str, tmp_path: Path) -> None:
    migrate(source, database_url)
    positions = fetch_all(database_url, _POSITIONS)
    said = migrate(source, database_url)
    assert said.startswith("0: ") and said.count("already there") == 2, said
    assert fetch_all(database_url, _POSITIONS) == positions
    teach_in(source, "ಕ")
    said = migrate(source, database_url, "--workspace", "ಕ")
    assert said.startswith("0: ") and "“ಕ”" in said and "updated" in said and "letters" not in said, said
    back = tmp_path / "back"
    migrate(database_url, back)
    teach_in(source, "letters")
    migrate(source, database_url)
    assert "updated" in migrate(database_url, back)
    assert_same_logs(source, back)


@pytest.mark.parametrize("point", ["loaded", "committed", *slow("copied", "compared")])
def test_a_kill_leaves_each_workspace_moved_or_not(source: Path, database_url: str, tmp_path: Path, point: str) -> None:
    before = read_files(source)
    migrate(source, database_url, point=f"migrate.{point}")
    assert read_files(source) == before
    moved = [row for row in fetch_all(database_url, _POSITIONS) if not row[-1]]
    assert len(moved) == (1 if point == "committed" else 0)
    said = migrate(source, database_url)
    assert said.startswith("0: ") and said.count("already there") == len(moved), said
    rows = fetch_all(database_url, "SELECT DISTINCT log_id FROM haleganada.samples ORDER BY log_id")
    assert rows == sorted((log_id,) for _, log_id, _, deleted in fetch_all(database_url, _POSITIONS) if not deleted)
    migrate(database_url, tmp_path / "back")
    assert_same_logs(source, tmp_path / "back")


@pytest.mark.parametrize(
    "point", ["adopt.without_mark", *slow("migrate.copied", "migrate.compared", "create.named", "replace.renamed")]
)
def test_a_kill_on_the_way_back(source: Path, database_url: str, tmp_path: Path, point: str) -> None:
    migrate(source, database_url)
    back = tmp_path / "back"
    migrate(database_url, back, point=point)
    with closing(open_source(back)) as directory:
        for name in directory.names():
            directory.open(name).close()
    assert migrate(database_url, back).startswith("0: ")
    assert_same_logs(source, back)


def test_nothing_newer_or_foreign_is_replaced(source: Path, database_url: str, tmp_path: Path) -> None:
    migrate(source, database_url)
    own = DataDirectory(tmp_path / "own", PillowRasterizer())
    with closing(open_postgres(database_url, own)) as replica:
        with closing(replica.open("ಕ")) as log:
            teach_all(log, ["taught there"])
        replica.replace("letters", None, reset_event())
        replica.create("gone").close()
        positions = fetch_all(database_url, _POSITIONS)
        said = migrate(source, database_url)
        assert said.startswith("1: ") and "newer there" in said and "another workspace of this name" in said, said
        assert fetch_all(database_url, _POSITIONS) == positions
        replica.delete("letters", None)
        replica.delete("ಕ", None)
        said = migrate(source, database_url)
        assert said.startswith("1: ") and said.count("was deleted at the destination") == 2, said
        assert fetch_all(database_url, "SELECT count(*) FROM haleganada.samples") == [(0,)]


def test_the_source_may_be_in_use(source: Path, database_url: str) -> None:
    with closing(open_source(source)) as directory, closing(directory.open("ಕ")) as log:
        with log.transaction() as transaction:
            teach(transaction, "not committed yet")
            said = migrate(source, database_url)
            assert said.startswith("0: ") and "a server uses" in said.lower(), said
        teach_all(log, ["after"])
        assert "updated" in migrate(source, database_url)


def test_a_directory_in_use_is_no_destination(source: Path, database_url: str) -> None:
    migrate(source, database_url)
    with closing(open_source(source)):
        said = migrate(database_url, source)
    assert said.startswith("1: ") and "another server" in said, said


def test_damage_is_told_and_the_others_are_moved(source: Path, database_url: str) -> None:
    with closing(open_source(source)) as directory:
        damaged = directory.log_path("ಕ")
    content = damaged.read_bytes()
    place = content.index(b"tester")
    damaged.write_bytes(content[:place] + b"\0" + content[place + 1 :])
    said = migrate(source, database_url)
    assert said.startswith("1: ") and "damaged" in said and "“letters”" in said and ": moved" in said, said
    migrate(source, database_url, "-w", "letters")
    execute(database_url, "UPDATE haleganada.samples SET label = 'changed' WHERE sample_id = 3")
    said = migrate(source, database_url, "-w", "letters")
    assert said.startswith("1: ") and "not the same" in said, said


@pytest.fixture
def _no_psycopg() -> Iterator[None]:
    yield


def test_the_rest_becomes_the_directory_of_a_server(source: Path, database_url: str, tmp_path: Path) -> None:
    with closing(open_source(source)) as directory, closing(directory.open("letters")) as log:
        directory.save(log, "kept")
    (source / "models").mkdir()
    assert "1 snapshot" in migrate(source, database_url)
    said = migrate(source, database_url, "--rest", str(tmp_path / "rest"))
    assert said.startswith("0: "), said
    own = DataDirectory(tmp_path / "rest", PillowRasterizer())
    assert own.names() == [] and [one.name for one in own.snapshots("letters")] == ["kept"]
    with closing(open_postgres(database_url, own)) as replica:
        (kept,) = replica.snapshots("letters")
        assert replica.is_sound("letters", kept)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "a", "--to", "b"), "the other a database"),
        (("--from", "postgresql://x/a", "--to", "postgres://x/b"), "the other a database"),
        (("--from", "nowhere", "--to", "postgresql://me:p4ss@127.0.0.1:1/a"), "is not a data directory"),
        (("--from", "postgresql://me:p4ss@127.0.0.1:1/a", "--to", "b", "--rest", "c"), "--rest is for"),
        (("--from", "postgresql://me:p4ss@127.0.0.1:1/a", "--to", "b"), "cannot be used"),
    ],
)
def test_bad_input_is_refused(words: tuple[str, ...], said: str) -> None:
    done = run_preloaded(["-m", "haleganada_server", "migrate", *words])
    assert done.returncode in (1, 2) and said in done.stderr and "p4ss" not in done.stderr
