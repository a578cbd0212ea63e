"""`haleganada backup`: beside a running server, complete, checked, and restored by starting a server on it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from haleganada_client import HaleganadaClient, HaleganadaError

from tests.e2e.processes import server, zigzag
from tests.support.datasets import drawings, write_npz
from tests.support.tiny_model import TinyModel, write_tiny_model
from tests.support.waiting import wait_until
from tests.unit.server.store.datasets.test_folders import World

STILL = "ಅಕ್ಷರ / still"  # nobody teaches it while it is copied
MODEL = "a" * 12
RASTER = np.zeros((128, 128), np.uint8)
RASTER[40:80, 40:80] = 255


def back_up(data: Path, target: Path, *options: str, status: int = 0) -> str:
    """Run the command; return what it prints."""
    line = [sys.executable, "-m", "haleganada_client.cli", "backup", str(target), "--data", str(data), *options]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a model and a data set."""
    folder = tmp_path / "data"
    (folder / "models").mkdir(parents=True)
    write_tiny_model(tmp_path, TinyModel({"a": RASTER, "b": RASTER.T.copy()})).rename(folder / "models" / MODEL)
    World(folder).add(write_npz(tmp_path / "s.npz", x=drawings(8), y=[0, 1] * 4))
    return folder


def fill(client: HaleganadaClient) -> None:
    """Teach a workspace, keep a snapshot and an emptied state, delete another."""
    for name in (STILL, "deleted"):
        client.create_workspace(name)
        client.train(zigzag(1), "ಕ", workspace=name)
    client.save("kept", workspace=STILL)
    client.reset(STILL, workspace=STILL)
    for i in range(5):
        client.train(zigzag(i), f"L{i}", workspace=STILL)
    client.undo(workspace=STILL)
    client.delete_workspace("deleted", "deleted")


def describe(client: HaleganadaClient, folder: Path) -> object:
    """What a restored server must have in common with the one that was backed up."""
    exported = folder / "export.jsonl"
    client.export(exported, workspace=STILL)
    content = exported.read_bytes()
    exported.unlink()
    snapshots = [client.list_snapshots(workspace=name) for name in (STILL, "deleted")]
    names = sorted(workspace.name for workspace in client.list_workspaces())
    return content, snapshots, names, client.get_workspace(STILL).revision


@contextmanager
def teaching(client: HaleganadaClient) -> Iterator[list[int]]:
    """Teach “default” while the block runs; the revisions that were acknowledged."""
    stopping, taught = threading.Event(), [0]

    def teach() -> None:
        while not stopping.is_set():
            taught.append(client.train(zigzag(len(taught) % 40), "x").revision)

    thread = threading.Thread(target=teach)
    thread.start()
    try:
        wait_until(lambda: len(taught) > 3)
        yield taught
    finally:
        stopping.set()
        thread.join()


def test_a_backup_of_a_running_server_restores_everything(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups" / "first"
    with server(data) as running, running.client() as client:
        fill(client)
        expected = describe(client, tmp_path)
        with teaching(client) as taught:
            before = taught[-1]
            printed = back_up(data, target)
        after = taught[-1]
    for part in (f"workspace “{STILL}”: 4 samples", "deleted workspace “deleted”", MODEL, "data set ", "is complete"):
        assert part in printed
    assert not (target.parent / "first.unfinished").exists() and not (target / "haleganada.lock").exists()
    with server(target) as restored, restored.client() as client:
        assert describe(client, tmp_path) == expected
        revision = client.get_workspace().revision
        assert before <= revision <= after
        assert [sample.sample_id for sample in client.iter_samples()] == list(range(revision, 0, -1))
        assert client.train(zigzag(1), "x").revision == revision + 1
        assert len(client.datasets.list()) == 1 and MODEL in {model.model_id for model in client.models.list()}


def test_what_has_not_changed_is_shared_with_an_earlier_backup_but_no_log(data: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with server(data) as running, running.client() as client:
        fill(client)
        back_up(data, first)
        client.train(zigzag(7), "new", workspace=STILL)
        assert "shared" in back_up(data, second, "--previous", str(first))
    shared = {path.relative_to(second) for path in second.rglob("*") if path.is_file() and path.stat().st_nlink > 1}
    assert Path("models", MODEL, "model.onnx") in shared and any("snapshots" in path.parts for path in shared)
    assert not any(path.name in ("log.sqlite3", "mark") for path in shared)
    with server(second) as restored, restored.client() as client:
        client.train(zigzag(8), "newer", workspace=STILL)
    with server(first) as restored, restored.client() as client:
        assert client.get_workspace(STILL).samples_total == 4


@pytest.mark.slow
def test_logs_that_are_replaced_meanwhile_are_never_mixed(tmp_path: Path) -> None:
    data, stopping = tmp_path / "data", threading.Event()
    with server(data) as running, running.client() as client:

        def replace() -> None:
            while not stopping.is_set():
                try:
                    client.train(zigzag(1), "a")
                    client.reset("default")
                    client.train(zigzag(2), "b")
                except HaleganadaError as error:
                    assert error.reason in ("WORKSPACE_LOCKED", "WORKSPACE_BUSY"), error

        thread = threading.Thread(target=replace)
        thread.start()
        for i in range(3):
            back_up(data, tmp_path / f"backup {i}")
        stopping.set()
        thread.join()
    with server(tmp_path / "backup 2") as restored, restored.client() as client:
        assert not client.get_workspace().corrupt and len(list(client.iter_samples())) <= 2


def test_a_damaged_workspace_is_kept_as_it_is_and_named(data: Path, tmp_path: Path) -> None:
    with server(data) as running, running.client() as client:
        fill(client)
        assert running.stop() == 0
    damaged = next(home for home in (data / "workspaces").iterdir() if STILL in (home / "workspace.json").read_text())
    content = (damaged / "log.sqlite3").read_bytes()
    spoiled = content[:100] + bytes(4096) + content[4196:]
    (damaged / "log.sqlite3").write_bytes(spoiled)
    printed = back_up(data, tmp_path / "backup", status=1)
    assert f"workspace “{STILL}”: it is damaged" in printed and "workspace “default”: 0 samples" in printed
    copied = tmp_path / "backup" / "workspaces" / damaged.name
    assert (copied / "log.sqlite3").read_bytes() == spoiled and list((copied / "snapshots").glob("*.sqlite3"))


@pytest.mark.slow
def test_an_interrupted_backup_is_none(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    line = [sys.executable, "-m", "haleganada_server", "backup", str(target), "--data", str(data)]
    with server(data) as running:
        with subprocess.Popen(line, stdout=subprocess.DEVNULL) as work:
            wait_until(lambda: (tmp_path / "backup.unfinished").exists())
            work.kill()
        assert not target.exists()
        back_up(data, target)
        assert target.exists() and not (tmp_path / "backup.unfinished").exists()
        assert "exists already" in back_up(data, target, status=2)
        assert running.stop() == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX systems")
def test_a_full_disk_ends_it_and_leaves_nothing(data: Path, tmp_path: Path) -> None:
    with server(data) as running, running.client() as client:
        fill(client)
        line = [sys.executable, "-m", "haleganada_server", "backup", str(tmp_path / "backup"), "--data", str(data)]
        limited = ["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", *line]
        done = subprocess.run(limited, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 1 and done.stderr.startswith("haleganada backup: ") and done.stderr.count("\n") == 1
        assert not list(tmp_path.glob("backup*"))
        client.train(zigzag(1), "a")
        back_up(data, tmp_path / "backup")


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [("data/backup", (), "itself"), ("new", ("--data", "nowhere"), "is not a data"), ("new", ("--previous", "x"), "x")],
)
def test_what_makes_no_sense_is_refused(
    data: Path, tmp_path: Path, target: str, options: tuple[str, ...], words: str
) -> None:
    (data / "workspaces").mkdir()
    assert words in back_up(data, tmp_path / target, *options, status=2)
    assert not (tmp_path / "new").exists()
