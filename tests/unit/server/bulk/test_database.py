"""Runs that recognize with a workspace in a database, and teach one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from haleganada_server.bulk.run import Job
from haleganada_server.bulk.state import Source, copy_state
from haleganada_server.bulk.teaching import Lessons, require_teachable, teach_rows
from haleganada_server.core.errors import HaleganadaError, NotFound, Precondition
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.workspaces.types import Lesson

from tests.conftest import StartServer
from tests.e2e.pictures import LINES, picture
from tests.unit.server.bulk.conftest import encode, teach_lines

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


def test_a_workspace_in_a_database_is_taught_beside_a_server(
    database_url: str, start_server: StartServer, tmp_path: Path
) -> None:
    objects = str(tmp_path / "objects")
    server = start_server(store=database_url, objects=objects)
    workspaces = server.app.workspaces
    with workspaces.use() as workspace:
        before = workspace.train(Lesson(Glyph(image=picture(LINES["cross"])), "cross")).revision
    for label in ("cross", "star"):
        (tmp_path / "labeled" / label).mkdir(parents=True)
        (tmp_path / f"labeled/{label}/1.png").write_bytes(picture(LINES["cross" if label == "cross" else "plus"], 3))
    lessons = Lessons(data=tmp_path / "own", workspace="default", store=database_url, objects=objects)
    require_teachable(lessons)
    rows = encode(tmp_path / "labeled", tmp_path / "home")
    taught, again = teach_rows(lessons, rows), teach_rows(lessons, rows)
    assert (taught["taught"], again["taught"], again["known"]) == (2, 0, 2) and taught["revision"] > before
    with workspaces.use() as workspace:
        (best,) = workspace.predict_batch([Glyph(image=picture(LINES["plus"]))], 1, taught["revision"])
    assert not isinstance(best, HaleganadaError) and best.candidates[0].label == "star"
    assert "before-import" in [kept.kind.value for kept in workspaces.snapshots()], "it is everybody's"
    with pytest.raises(NotFound, match="default"):
        require_teachable(replace(lessons, workspace="another"))


def test_the_run_folder_does_not_know_the_password() -> None:
    source = Source(store="postgresql://me:p4ss-word@db.example:5432/taught?password=p4ss-word")
    job = Job(
        kind="predict", settings={}, inputs=(), suffixes=(), source=source, out=Path("x"), block_size=1, workers=1
    )
    lessons = Lessons(data=Path("x"), workspace="w", store=source.store, objects="s3://p4ss-word@bucket")
    for one in (job, replace(job, kind="teach", source=Source(), lessons=lessons)):
        assert "p4ss-word" not in f"{one.request}{one}" and "db.example" in str(one.request)
