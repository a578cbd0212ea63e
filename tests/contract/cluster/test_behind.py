"""A server that cannot follow the others of its database says so to all who ask how it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from haleganada_server.core.errors import Unavailable
from haleganada_server.core.workspaces.state import WorkspaceState
from haleganada_server.rpc.server import CURRENT

from tests.conftest import RunningServer, StartServer
from tests.contract.cluster.standing import check_health, get_replica
from tests.contract.teaching import teach
from tests.contract.watching.scrape import metrics_page, scrape
from tests.support.waiting import wait_until


def run_cli(server: RunningServer, *command: str) -> str:
    line = [sys.executable, "-m", "haleganada_client.cli", "--server", server.address, *command]
    return subprocess.run(line, capture_output=True, text=True, check=False).stdout


def find_database(server: RunningServer) -> list[tuple[str, str]]:
    """Return what doctor says of the database: state and detail."""
    found = json.loads(run_cli(server, "doctor", "--json"))
    return [(one["state"], one["detail"]) for one in found if one["what"] == "database"]


def test_a_server_that_cannot_follow(
    start_server: StartServer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from haleganada_server.store.postgres import feed

    monkeypatch.setattr(feed, "_LOOK_S", 0.05)
    one, other = (start_server(store=database_url, data_dir=tmp_path / name) for name in ("one", "other"))
    teach(other, "default")
    with monkeypatch.context() as patched:
        patched.setattr(WorkspaceState, "catch_up", _refuse)
        patched.setattr(feed, "_LATE_S", 0.3)
        for _ in range(2):
            teach(one, "default")
        wait_until(lambda: get_replica(other).behind_revisions == 2, 10)
        wait_until(lambda: not get_replica(other).current, 10)
        assert get_replica(other).look_age_seconds < 10 and not get_replica(other).database_away
        wait_until(lambda: check_health(other, CURRENT) == "NOT_SERVING", 10)
        assert check_health(other, "") == check_health(one, CURRENT) == "SERVING"
        with metrics_page(other.app) as page:
            told = scrape(page.url)
        assert told["haleganada_replica_current"].samples[0].value == 0
        assert told["haleganada_replica_behind_revisions"].samples[0].value == 2
        assert "behind by 2 revisions" in run_cli(other, "top", "--once", "--interval", "0.1")
    wait_until(lambda: get_replica(other).current and check_health(other, CURRENT) == "SERVING", 10)
    ((state, detail),) = find_database(other)
    assert state == "ok" and "all have acknowledged" in detail


def test_a_server_alone_is_never_behind(server: RunningServer) -> None:
    assert check_health(server, CURRENT) == "SERVING"
    assert not find_database(server)
    with metrics_page(server.app) as page:
        assert "haleganada_replica_current" not in scrape(page.url)


def _refuse(*_: object) -> None:
    raise Unavailable("not now")
