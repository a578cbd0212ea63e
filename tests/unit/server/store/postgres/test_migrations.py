"""The tables of a database: made once, wholly or not at all, however many servers start, and whichever dies at it."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from haleganada_server.core.errors import Precondition

from tests.support.postgres import execute, fetch_all
from tests.support.waiting import wait_until

pytest.importorskip("psycopg_pool", reason="the extra cluster is not installed")
pytest.importorskip("yoyo", reason="the extra cluster is not installed")

import psycopg
from haleganada_server.store.postgres.database import Database

NOTED = "SELECT migration_id, applied_at_utc FROM haleganada._yoyo_migration ORDER BY migration_id"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
OURS = f"{TABLES.removesuffix(' ORDER BY 1')} AND schemaname = 'haleganada' ORDER BY 1"
IN_THE_WAY = "CREATE SCHEMA haleganada CREATE TABLE active_models (workspace text)"
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'haleganada'"


def start(url: str) -> None:
    """Do to the database what a server does to it when it starts."""
    Database(url).close()


def test_a_new_database_gets_all_tables_in_our_schema_and_later_starts_change_nothing(database_url: str) -> None:
    start(database_url)
    noted = fetch_all(database_url, NOTED)
    assert [name.split("_")[0] for name, _ in noted] == [f"{number:04}" for number in range(1, len(noted) + 1)]
    tables = fetch_all(database_url, TABLES)
    assert {("workspaces",), ("events",), ("samples",), ("jobs",)} < set(tables)
    assert fetch_all(database_url, OURS) == tables
    start(database_url)
    assert fetch_all(database_url, NOTED) == noted and fetch_all(database_url, TABLES) == tables


def test_servers_that_start_at_once_make_the_tables_once(database_url: str) -> None:
    with ThreadPoolExecutor(6) as servers:
        assert list(servers.map(start, [database_url] * 6)) == [None] * 6
    numbers = [name for name, _ in fetch_all(database_url, NOTED)]
    assert numbers and len(set(numbers)) == len(numbers)


def test_a_migration_that_fails_leaves_none_of_those_before_it(database_url: str) -> None:
    execute(database_url, IN_THE_WAY)
    with pytest.raises(Precondition, match=r"^the database .* cannot be used: .*active_models.* already exists"):
        start(database_url)
    assert fetch_all(database_url, TABLES) == [("active_models",)]
    execute(database_url, "DROP TABLE haleganada.active_models")
    start(database_url)
    assert fetch_all(database_url, NOTED)


def test_a_server_killed_among_its_migrations_keeps_no_other_from_starting(database_url: str) -> None:
    program = "import sys; from haleganada_server.store.postgres.database import Database; Database(sys.argv[1])"
    with psycopg.connect(database_url) as other:
        other.execute("CREATE SCHEMA haleganada")
        other.commit()
        other.execute("CREATE TABLE haleganada.active_models ()")  # not committed: whoever makes it, too, waits
        with subprocess.Popen([sys.executable, "-c", program, database_url]) as server:
            wait_until(lambda: bool(fetch_all(database_url, WAITING)))
            server.kill()
        assert fetch_all(database_url, TABLES) == []
        other.rollback()
    start(database_url)
    assert fetch_all(database_url, NOTED)


def test_a_database_of_a_newer_server_is_refused_unchanged(database_url: str) -> None:
    start(database_url)
    execute(database_url, "INSERT INTO haleganada._yoyo_migration VALUES ('of later', '9999_later', now())")
    before = fetch_all(database_url, NOTED)
    with pytest.raises(Precondition, match="newer version of this server; update this server, nothing is lost"):
        start(database_url)
    assert fetch_all(database_url, NOTED) == before


def test_a_user_who_may_make_no_schema_may_use_one_that_is_there(database_url: str) -> None:
    start(database_url)
    execute(database_url, "DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN")
    try:
        execute(database_url, "GRANT USAGE ON SCHEMA haleganada TO guest")
        execute(database_url, "GRANT SELECT ON ALL TABLES IN SCHEMA haleganada TO guest")
        start(database_url.replace("tester@", "guest@"))
    finally:
        execute(database_url, "DROP OWNED BY guest; DROP ROLE guest")


def test_a_database_of_an_older_server_is_brought_up_to_date_once_and_the_way_back_is_told(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    start(database_url)
    assert "brought up to date" not in caplog.text, "a new one has no way back"
    last = fetch_all(database_url, NOTED)[-1][0]
    execute(database_url, f"DELETE FROM haleganada._yoyo_migration WHERE migration_id = '{last}'")
    script = files("haleganada_server.store.postgres").joinpath("migrations", f"{last}.sql").read_text("utf-8")
    for table in re.findall(r"^CREATE TABLE (\w+)", script, re.MULTILINE):
        execute(database_url, f"DROP TABLE haleganada.{table}")
    start(database_url)
    assert f"brought up to date ({last})" in caplog.text and "pg_dump" in caplog.text
    assert fetch_all(database_url, NOTED)[-1][0] == last
    caplog.clear()
    start(database_url)
    assert not caplog.text
