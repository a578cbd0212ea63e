"""`serve --store`: what is taught is in a database, and a server that cannot use one says why, without its password."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from haleganada.v1 import model_service_pb2, ocr_service_pb2, workspace_service_pb2
from haleganada.v1 import model_service_pb2_grpc as models
from haleganada_server.serve import serve

from tests.conftest import StartServer
from tests.contract.drawings import cross, ring
from tests.contract.refusals import expect_refusal
from tests.contract.teaching import teach
from tests.support.network.ports import HOST, refusing_port
from tests.support.postgres import PostgresServer

PASSWORD = "p4ss-of-the-database"
Refuse = Callable[..., str]
needs_psycopg = pytest.mark.skipif(find_spec("psycopg_pool") is None, reason="the extra cluster is not installed")


@pytest.fixture
def refusal(tmp_path: Path) -> Iterator[Refuse]:
    """Runs `haleganada serve` in this process; returns all that it says and logs, at the most talkative level."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]

    def run(*flags: str) -> str:
        usual = ("--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--device", "cpu", "--log-level", "debug")
        done = CliRunner().invoke(serve, [*usual, *flags], prog_name="haleganada serve")
        assert done.exit_code == 1, done.output
        return done.output

    yield run
    root.setLevel(level)
    root.handlers[:] = handlers


def test_what_was_taught_is_there_on_another_machine(
    start_server: StartServer, database_url: str, tmp_path: Path
) -> None:
    first = start_server(store=database_url, data_dir=tmp_path / "one")
    assert "taught in the database" in first.app.summary()
    revision = teach(first, "default", "ಕ").revision
    first.ocr.Train(ocr_service_pb2.TrainRequest(glyph=ring(), label="ಖ"))
    first.stop()
    second = start_server(store=database_url, data_dir=tmp_path / "two")
    found = second.ocr.Predict(ocr_service_pb2.PredictRequest(glyph=cross(3), min_revision=revision + 1))
    assert [found.candidates[0].label, found.revision] == ["ಕ", revision + 1]


def test_snapshots_exports_and_imports_work(start_server: StartServer, database_url: str) -> None:
    server = start_server(store=database_url)
    taught = teach(server, "default")
    kept = server.ocr.Save(ocr_service_pb2.SaveRequest()).snapshot
    reset = server.ocr.Reset(ocr_service_pb2.ResetRequest(confirm="default"))
    assert reset.snapshot.samples_total == 1 and reset.revision > taught.revision
    request = workspace_service_pb2.RestoreSnapshotRequest(workspace="default", snapshot_id=kept.snapshot_id)
    assert server.workspaces.RestoreSnapshot(request).workspace.samples_total == 1
    archive = list(
        server.ocr.Export(ocr_service_pb2.ExportRequest(format=ocr_service_pb2.EXPORT_FORMAT_HALEGANADA_ARCHIVE))
    )
    server.workspaces.CreateWorkspace(workspace_service_pb2.CreateWorkspaceRequest(workspace="copy"))
    content = b"".join(part.chunk for part in archive)
    parts = [
        ocr_service_pb2.ImportRequest(header=ocr_service_pb2.ImportHeader(workspace="copy")),
        ocr_service_pb2.ImportRequest(chunk=content),
    ]
    assert server.ocr.Import(iter(parts)).imported == 1
    listed = server.workspaces.ListWorkspaces(workspace_service_pb2.ListWorkspacesRequest()).workspaces
    assert [(one.name, one.samples_total) for one in listed] == [("copy", 1), ("default", 1)]


def test_a_model_of_one_server_cannot_answer_for_a_workspace(start_server: StartServer, database_url: str) -> None:
    server = start_server(store=database_url)
    stub = models.ModelServiceStub(server.channel)
    request = model_service_pb2.ActivateModelRequest(model_id="starter")
    refusal = expect_refusal(lambda: stub.ActivateModel(request))
    assert refusal.reason == "NOT_SHARED" and "Predict" in refusal.message and "--objects" in refusal.message


@needs_psycopg
@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:{password}@{host}:{port}/taught",
        "postgresql://me@{host}:{port}/taught?password={password}",
        "postgresql://me:{password}@{host}:{port}/taught?no_such_option=1",
        "postgresql://me:{password}@{host}:{port}:{port}/[",
        "host={host} password={password}",
        "mysql://me:{password}@{host}/taught",
    ],
)
def test_no_message_has_the_password(refusal: Refuse, address: str) -> None:
    with refusing_port() as port:
        said = refusal("--store", address.format(password=PASSWORD, host=HOST, port=port))
    assert PASSWORD not in said and "haleganada serve: " in said
    assert "cannot be used" in said or "must be the address" in said


def test_a_database_that_was_not_made_for_this_is_refused(refusal: Refuse, postgres: PostgresServer) -> None:
    settings = "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
    said = refusal("--store", postgres.make_database(f"ascii-{uuid4()}", settings))
    assert "SQL_ASCII" in said and "--encoding UTF8" in said


def test_workspaces_in_the_data_directory_are_not_hidden(
    start_server: StartServer, refusal: Refuse, database_url: str
) -> None:
    start_server().stop()  # which makes “default”
    assert "has workspaces of its own" in refusal("--store", database_url)


def test_the_extra_is_named_where_it_is_missing(
    refusal: Refuse, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_servers_together = ("haleganada_server.cluster", "haleganada_server.store.postgres")
    for name in [name for name in sys.modules if name.startswith(of_servers_together)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "[cluster]" in refusal("--store", database_url)


def test_a_server_without_a_database_imports_nothing_of_it() -> None:
    code = "import sys, haleganada_server.app; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "numpy" in done.stdout and not {"psycopg", "yoyo", "fsspec", "s3fs"} & set(done.stdout.split("'"))
