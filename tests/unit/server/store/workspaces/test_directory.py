"""The data directory: who may use it, what is in it, and that no file is named after a workspace or label."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from haleganada_server.core.errors import Precondition
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.server.store.rows import teach_all

NAMES_OF_FILES = re.compile(
    r"(haleganada\.lock|tmp(/[0-9a-f]{24})?|workspaces(/[0-9a-f]{24}(/.*)?)?)"
)  # below a workspace's folder: see OWN_FILES
OWN_FILES = re.compile(
    r"workspace\.json|mark|log\.sqlite3(-wal|-shm)?|(snapshots|trash)(/r\d+-[0-9a-f]{12}(\.json|\.sqlite3|-seed-files(/.*)?))?"
)
SEED_FILES = re.compile(
    r"training_(log|summary)\.json|"
    r"training_images(/U\+[0-9A-F]{4,6}(_[0-9A-F]{4,6}|_/[0-9A-F]{4,6})*_?(/\d+_\d{8}_\d{6}\.png)?)?"
)
HOLD_LOCK = """
import os, sys
from pathlib import Path
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer
held = DataDirectory(Path(sys.argv[1]), PillowRasterizer())
print("held", flush=True)
sys.stdin.read()
"""


def test_the_error_of_a_second_server_names_the_first(data: Path) -> None:
    line = (sys.executable, "-c", HOLD_LOCK, str(data))
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Precondition, match=f"process {other.pid}\\b.*--data") as refusal:
            DataDirectory(data, PillowRasterizer())
        assert refusal.value.reason == "DATA_DIRECTORY_LOCKED"
        other.kill()
        other.wait()
        DataDirectory(data, PillowRasterizer()).close()  # the kernel freed the lock


def test_the_lock_also_works_within_one_process(directory: DataDirectory, data: Path) -> None:
    with pytest.raises(Precondition):
        DataDirectory(data, PillowRasterizer())


def test_what_a_killed_server_left_unfinished_is_removed(data: Path) -> None:
    (data / "tmp" / "folder").mkdir(parents=True)
    (data / "tmp" / "folder" / "state.sqlite3").write_bytes(b"x")
    (data / "tmp" / "upload").write_bytes(b"x")
    (data / "workspaces" / ("a" * 24)).mkdir(parents=True)
    (data / "workspaces" / ("a" * 24) / "probe-12ab").write_bytes(b"x")  # of a disk that failed
    DataDirectory(data, PillowRasterizer()).close()
    assert not list((data / "tmp").iterdir())
    assert not list(data.glob("workspaces/*/*"))


def test_a_folder_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError):
        DataDirectory(tmp_path / "file", PillowRasterizer())


@pytest.mark.parametrize("damage", ["", "[]", '{"no": "name"}', "\xff"])
def test_a_lost_name_is_found_in_the_log(directory: DataDirectory, data: Path, damage: str) -> None:
    directory.create("ಕ").close()
    described = next(data.glob("workspaces/*/workspace.json"))
    described.write_bytes(damage.encode("latin-1"))
    assert directory.names() == ["ಕ"]
    described.unlink()
    assert directory.names() == ["ಕ"]
    directory.open("ಕ").close()


def test_a_log_without_a_name_is_skipped(
    directory: DataDirectory, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("default", "other"):
        directory.create(name).close()
    for path in data.glob("workspaces/*/*"):
        path.write_bytes(b"damaged")
    assert directory.names() == ["default"], "its folder is known without reading anything"
    assert "is skipped" in caplog.text
    assert len(list(data.glob("workspaces/*/log.sqlite3"))) == 2


def test_the_journal_of_an_old_log_is_not_used_for_the_new_one(directory: DataDirectory) -> None:
    old = directory.create("w")
    teach_all(old, ["a", "b", "c"])
    journal = old.path.with_name("log.sqlite3-wal").read_bytes()
    directory.delete("w", old)
    assert journal
    old.path.with_name("log.sqlite3-wal").write_bytes(journal)  # as if the server had been killed in between
    new = directory.create("w")
    assert (new.revision(), new.count()) == (4, 0), "revisions are never used twice"
    new.close()


@example("ಕ" * 64)
@given(st.text(min_size=1, max_size=64).filter(lambda text: text.isprintable()))
@example("../../etc/passwd")
@example("..")
@example("CON")
@example("<script>alert(1)</script>")
@example("a/b\\c:d*e?f")
@example("ಕ್ಷ\u200d")
@example("%2e%2e%2f")
@example("~")
def test_no_file_is_named_after_a_workspace_or_a_label(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        directory = DataDirectory(root, PillowRasterizer())
        log = directory.create(name)
        teach_all(log, [name])
        directory.save(log, name)
        directory.delete(name, log)
        directory.create(name).close()
        assert directory.names() == [name]
        assert [kept.name for kept in directory.snapshots(name)] == ["before delete", name]
        directory.close()
        assert [path.name for path in Path(folder).iterdir()] == ["data"]
        for path in root.rglob("*"):
            assert_expected(path.relative_to(root).as_posix())


def assert_expected(path: str) -> None:
    """Check that a path below the data directory is one that the store creates, whatever was taught."""
    assert NAMES_OF_FILES.fullmatch(path), path
    _, _, below = path.partition("/")
    _, _, own = below.partition("/")
    if path.startswith("workspaces") and own:
        assert OWN_FILES.fullmatch(own), path
        _, _, seed = own.partition("-seed-files/")
        assert not seed or SEED_FILES.fullmatch(seed), path


def test_the_folder_records_its_workspace(directory: DataDirectory, data: Path) -> None:
    log = directory.create("ಕ")
    described = json.loads(next(data.glob("workspaces/*/workspace.json")).read_text(encoding="utf-8"))
    assert described == {"name": "ಕ", "created_us": log.created_us}
    log.close()
