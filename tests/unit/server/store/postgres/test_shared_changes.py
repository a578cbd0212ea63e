"""Changes of what servers share: one at a time, and nobody waits long for a server that stands still in the middle."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from haleganada_server.core.errors import Unavailable

pytest.importorskip("psycopg_pool", reason="the extra cluster is not installed")
pytest.importorskip("yoyo", reason="the extra cluster is not installed")

from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.shared.changes import changing


@pytest.fixture
def servers(database_url: str) -> Iterator[tuple[Database, Database]]:
    pair = Database(database_url), Database(database_url)
    yield pair
    for database in pair:
        database.close()


def test_who_stands_still_in_the_middle_loses_the_turn(servers: tuple[Database, Database]) -> None:
    has_turn, goes_on, ended = threading.Event(), threading.Event(), []

    def stand_still() -> None:
        try:
            with changing(servers[0], "jobs"):
                has_turn.set()
                assert goes_on.wait(60)
        except Unavailable as error:
            ended.append(error)

    still = threading.Thread(target=stand_still)
    still.start()
    assert has_turn.wait(60)
    with changing(servers[1], "jobs") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    goes_on.set()
    still.join()
    assert len(ended) == 1
