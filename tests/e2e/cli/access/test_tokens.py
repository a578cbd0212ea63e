"""`haleganada tokens`, beside a server that runs and without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from haleganada_client import HaleganadaClient
from haleganada_client.errors import NotAllowed
from haleganada_server.maintenance.tokens import tokens

from tests.conftest import StartServer
from tests.support.waiting import wait_until


def run(data: Path, command: str, *words: str) -> Result:
    return CliRunner().invoke(tokens, [command, *words, "--data", str(data)])


def test_a_token_from_its_making_to_its_end(start_server: StartServer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = run(data, "add", "anna", "--role", "teach", "-w", "default")
    shown = made.stdout.strip()
    assert made.exit_code == 0 and shown.startswith("hlg_") and "only now" in made.stderr
    server = start_server(data_dir=data)
    with HaleganadaClient(server.address, token=shown) as client:
        assert client.stats().samples_total == 0
        with pytest.raises(NotAllowed, match="role admin"):
            client.reset("default")
        with pytest.raises(NotAllowed, match="is not for the workspace"):
            client.stats(workspace="other")
        assert run(data, "expire", "anna", "--days", "1").exit_code == 0
        assert run(data, "revoke", "anna").stdout.startswith("anna: teach in default, revoked ")

        def is_refused() -> bool:
            try:
                client.stats()
            except NotAllowed as error:
                return error.reason == "TOKEN_REVOKED"
            return False

        wait_until(is_refused)


def test_what_is_listed(tmp_path: Path) -> None:
    assert "no tokens" in run(tmp_path, "list").stdout
    secret = json.loads(run(tmp_path, "add", "a", "--role", "read", "--days", "2", "--json").stdout)["token"]
    run(tmp_path, "add", "b", "--role", "admin", "-w", "x", "-w", "y", "--never-expires")
    run(tmp_path, "expire", "b")
    lines = run(tmp_path, "list").stdout.splitlines()
    assert ["a: read in all workspaces, expires" in lines[0], "b: admin in x, y, expired" in lines[1]] == [True, True]
    listed = json.loads(run(tmp_path, "list", "--json").stdout)
    assert [entry["usable"] for entry in listed] == [True, False]
    assert secret not in json.dumps(listed)


def test_what_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path, "add", "a", "--role", "read").exit_code == 0
    for words, said in (
        (("add", "a", "--role", "read"), "already"),
        (("add", "local", "--role", "read"), "something else"),
        (("add", "b", "--role", "read", "-w", "\n"), "workspace"),
        (("revoke", "nobody"), "tokens list"),
    ):
        refused = run(tmp_path, *words)
        assert refused.exit_code == 1 and said in refused.stderr and not refused.stdout, words
    run(tmp_path, "revoke", "a")
    assert run(tmp_path, "revoke", "a").exit_code == 1
    assert run(tmp_path, "add", "a", "--role", "teach").exit_code == 0
