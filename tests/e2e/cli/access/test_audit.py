"""`haleganada audit` beside a server: who did what, in which workspace."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from haleganada_client import HaleganadaClient, Ink, Stroke
from haleganada_server.core.access.identity import Role
from haleganada_server.maintenance.audit import audit
from haleganada_server.maintenance.tokens import tokens

from tests.conftest import StartServer
from tests.support.tokens import add_token


def lines(data: Path, *words: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(audit, ["--data", str(data), "--json", *words])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def draw() -> Ink:
    return Ink((Stroke((10, 90), (10, 90)),), 100, 100)


def test_who_did_what(start_server: StartServer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    boss, anna = add_token(data, "boss", Role.ADMIN), add_token(data, "anna", Role.TEACH, "w")
    server = start_server(data_dir=data)
    with HaleganadaClient(server.address, token=boss, workspace="w") as client:
        client.create_workspace("w")
        with HaleganadaClient(server.address, token=anna, workspace="w") as teacher:
            sample = teacher.train(draw(), "ಅ").sample_id
            teacher.export(tmp_path / "out.zip")
        assert client.get_sample(sample).author == "anna"
        assert [one.author for one in client.iter_samples()] == ["anna"]
        client.forget(sample)
    made = CliRunner().invoke(tokens, ["add", "ravi", "--role", "read", "--data", str(data)])
    CliRunner().invoke(tokens, ["revoke", "ravi", "--data", str(data)])
    found = [(line["who"], line["what"], line["workspace"]) for line in lines(data)]
    assert found == [
        ("boss", "CreateWorkspace", "w"),
        ("anna", "teach", "w"),
        ("anna", "Export", "w"),
        ("boss", "forget", "w"),
        ("local", "token add", ""),
        ("local", "token revoke", ""),
    ]
    assert made.stdout.strip() not in json.dumps(lines(data))
    assert [line["what"] for line in lines(data, "--who", "anna", "-w", "w")] == ["teach", "Export"]
    assert lines(data, "--who", "anna")[0]["detail"] == f"ಅ #{sample}"
    with HaleganadaClient(server.address, token=boss, workspace="w") as client:
        client.reset("w")
        client.delete_workspace("w", "w")
    assert [line["what"] for line in lines(data, "--newest", "2")] == ["Reset", "DeleteWorkspace"]


def test_changes_from_before_there_were_names(start_server: StartServer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = start_server(data_dir=data)
    with HaleganadaClient(server.address) as client:
        client.train(draw(), "ಅ")
    assert [line["who"] for line in lines(data)] == ["local"]
    server.stop()
    log = next((data / "workspaces").glob("*/log.sqlite3"))
    with closing(sqlite3.connect(log)) as connection, connection:
        connection.execute("UPDATE events SET client = '127.0.0.1'")
    assert [(line["who"], line["address"]) for line in lines(data)] == [("", "127.0.0.1")]
    done = CliRunner().invoke(audit, ["--data", str(data)])
    assert "  ?  teach in default: ಅ #1" in done.stdout
