"""A run that recognizes with a workspace in a database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from haleganada_server.bulk.run import Job
from haleganada_server.bulk.state import Source, copy_state
from haleganada_server.core.errors import NotFound, Precondition

from tests.unit.server.bulk.conftest import teach_lines

pytest.importorskip("psycopg_pool", reason="the extra cluster is not installed")

from haleganada_server.store.moving.to_database import move_to_database
from haleganada_server.store.postgres.database import Database


def test_a_workspace_in_a_database_is_copied(database_url: str, tmp_path: Path) -> None:
    teach_lines(tmp_path / "data", "lines")
    with closing(Database(database_url)) as database:
        assert all(not moved.problem for moved in move_to_database(tmp_path / "data", database, tmp_path))
    one, other, third, fourth = (tmp_path / name for name in ("one", "other", "third", "fourth"))
    for folder in (one, other, third, fourth):
        folder.mkdir()
    nowhere = tmp_path / "nowhere"
    facts = copy_state(Source(data=nowhere, store=database_url, workspace="lines"), one / "state", one)
    assert facts == copy_state(Source(data=tmp_path / "data", workspace="lines"), other / "state", other)
    assert facts["samples"] > 0 and not nowhere.exists()
    with pytest.raises(NotFound, match="another"):
        copy_state(Source(data=nowhere, store=database_url, workspace="another"), third / "state", third)
    with pytest.raises(Precondition, match="cannot be used"):
        copy_state(Source(data=nowhere, store="postgresql://me@127.0.0.1:1/x"), fourth / "state", fourth)


def test_the_run_folder_does_not_know_the_password() -> None:
    source = Source(store="postgresql://me:p4ss-word@db.example:5432/taught?password=p4ss-word")
    job = Job(
        kind="predict", settings={}, inputs=(), suffixes=(), source=source, out=Path("x"), block_size=1, workers=1
    )
    assert "p4ss-word" not in f"{job.request}{job}" and "db.example" in str(job.request)
