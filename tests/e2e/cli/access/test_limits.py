"""`haleganada limits`, beside a server that runs and without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from haleganada_client import HaleganadaClient, Ink, Stroke
from haleganada_client.errors import Exhausted
from haleganada_server.core.access.identity import Role
from haleganada_server.core.shares.limits import BOX
from haleganada_server.maintenance.audit import audit
from haleganada_server.maintenance.limits import limits

from tests.conftest import StartServer
from tests.support.tokens import add_token
from tests.support.waiting import wait_until

CROSS = Ink((Stroke((10, 90), (10, 90)), Stroke((90, 10), (10, 90))), 100, 100)


def run(data: Path, command: str, *words: str) -> Result:
    return CliRunner().invoke(limits, [command, *words, "--data", str(data)])


def test_a_workspace_gets_more_room_than_others(start_server: StartServer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = start_server(data_dir=data, shares=BOX)
    with HaleganadaClient(server.address) as client:
        client.create_workspace("small")
        done = run(data, "set", "-w", "small", "workspace-samples=1", "workspace-bytes=2G")
        assert done.stdout == "workspace small: workspace-samples 1, workspace-bytes 2,048 MiB\n"

        def quotas(workspace: str) -> dict[str, int]:
            return {quota.name: quota.limit for quota in client.stats(workspace=workspace).quotas}

        wait_until(lambda: quotas("small")["workspace-samples"] == 1)
        assert quotas("default")["workspace-samples"] == BOX.workspace_samples
        client.train(CROSS, "x", workspace="small")
        with pytest.raises(Exhausted, match=r"1 of the 1 samples.*haleganada limits set --workspace"):
            client.train(CROSS, "x", workspace="small")
        assert run(data, "clear", "-w", "small", "workspace-samples").exit_code == 0
        wait_until(lambda: quotas("small")["workspace-samples"] == BOX.workspace_samples)
        client.train(CROSS, "x", workspace="small")


def test_what_is_listed_and_kept_in_the_trail(tmp_path: Path) -> None:
    assert "those of the server hold for all" in run(tmp_path, "list").stdout
    add_token(tmp_path, "anna", Role.READ)
    done = run(tmp_path, "set", "--caller", "anna", "calls-per-second=0.5", "queued-jobs=none")
    assert done.stdout == "caller anna: calls-per-second 0.5, queued-jobs none\n" and not done.stderr
    assert "no token “ana”" in run(tmp_path, "set", "--caller", "ana", "queued-jobs=2").stderr
    run(tmp_path, "set", "--workspace", "ಕನ್ನಡ", "workspace-labels=50000")
    assert run(tmp_path, "list").stdout.splitlines() == [
        "caller ana: queued-jobs 2",
        "caller anna: calls-per-second 0.5, queued-jobs none",
        "workspace ಕನ್ನಡ: workspace-labels 50,000",
    ]
    assert json.loads(run(tmp_path, "list", "--json").stdout) == {
        "callers": {"anna": {"calls-per-second": 0.5, "queued-jobs": None}, "ana": {"queued-jobs": 2}},
        "workspaces": {"ಕನ್ನಡ": {"workspace-labels": 50000}},
    }
    run(tmp_path, "clear", "--caller", "anna")
    assert "anna" not in run(tmp_path, "list").stdout
    trail = CliRunner().invoke(audit, ["--data", str(tmp_path), "--json"]).stdout.splitlines()
    entries = [(entry["what"], entry["workspace"], entry["detail"]) for entry in map(json.loads, trail)]
    assert entries[0] == ("limits set", "", "caller anna: calls-per-second 0.5, queued-jobs none")
    assert entries[2] == ("limits set", "ಕನ್ನಡ", "workspace ಕನ್ನಡ: workspace-labels 50,000")
    assert entries[3] == ("limits clear", "", "caller anna: the limits of the server")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "calls-per-second=1"), "say whose limits"),
        (("set", "--caller", "a", "-w", "b", "calls-per-second=1"), "say whose limits"),
        (("set", "--caller", "a", "workspace-bytes=1G"), "a limit of a workspace"),
        (("set", "--workspace", "a", "calls-per-second=1"), "a limit of a caller"),
        (("set", "--workspace", "a", "workspaces=1"), "serve --limit"),
        (("set", "--caller", "\n", "queued-jobs=1"), "caller"),
        (("clear", "--caller", "a", "walls"), "calls-per-second"),
        (("clear", "--caller", "a"), "no limits of its own"),
    ],
)
def test_what_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    refused = run(tmp_path, *words)
    assert refused.exit_code == 1 and said in refused.stderr and not refused.stdout
    assert not (tmp_path / "access" / "limits.json").exists()
