"""One server for a data directory, whatever happens to the lock file. Windows deletes no file that is open."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from haleganada_server.core.errors import Precondition, Unavailable
from haleganada_server.store import files
from haleganada_server.store.workspaces import lock as lock_module
from haleganada_server.store.workspaces.lock import DirectoryLock

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no open file can be deleted there")


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[DirectoryLock]:
    """The lock on a folder."""
    held = DirectoryLock(tmp_path)
    yield held
    held.release()


@pytest.fixture
def file_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DirectoryLock]:
    """The lock on a folder that cannot be locked itself."""
    monkeypatch.setattr(lock_module, "_lock_folder", lambda *_: None)
    held = DirectoryLock(tmp_path)
    yield held
    held.release()


def require_locked(folder: Path) -> None:
    with pytest.raises(Precondition, match="another server"):
        DirectoryLock(folder)


def test_a_deleted_lock_file_lets_nobody_in_and_is_made_again(lock: DirectoryLock, tmp_path: Path) -> None:
    file = tmp_path / "haleganada.lock"
    for _ in range(3):
        file.unlink()
        require_locked(tmp_path)
        lock.require_held()
        assert file.read_text() == f"{os.getpid()}\n"
        require_locked(tmp_path)


def test_a_lock_file_that_another_server_holds_is_left_to_it(lock: DirectoryLock, tmp_path: Path) -> None:
    file = tmp_path / "haleganada.lock"
    file.unlink()
    with file.open("w") as taken:
        files.lock(taken.fileno())
        for _ in range(2):
            with pytest.raises(Unavailable) as refusal:
                lock.require_held()
            assert refusal.value.reason == "DATA_DIRECTORY_TAKEN" and str(tmp_path) not in refusal.value.message


def test_a_replaced_folder_is_no_longer_this_servers(lock: DirectoryLock, tmp_path: Path) -> None:
    moved = tmp_path.with_name("moved")
    tmp_path.rename(moved)
    tmp_path.mkdir()
    with pytest.raises(Unavailable):
        lock.require_held()
    DirectoryLock(tmp_path).release()
    shutil.rmtree(tmp_path)
    moved.rename(tmp_path)
    lock.require_held()


def test_without_a_lock_on_the_folder_a_lost_file_ends_it(file_lock: DirectoryLock, tmp_path: Path) -> None:
    file_lock.require_held()
    (tmp_path / "haleganada.lock").unlink()
    with closing(_Released(DirectoryLock(tmp_path))), pytest.raises(Unavailable):
        file_lock.require_held()
    with pytest.raises(Unavailable):
        file_lock.require_held()


def test_a_loss_is_noticed_without_a_call(
    file_lock: DirectoryLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "_WATCH_S", 0.01)
    noticed = threading.Event()
    file_lock.watch(noticed.set)
    assert not noticed.wait(0.1)
    (tmp_path / "haleganada.lock").unlink()
    assert noticed.wait(60)


def test_a_released_directory_is_free(tmp_path: Path) -> None:
    DirectoryLock(tmp_path).release()
    DirectoryLock(tmp_path).release()
    shutil.rmtree(tmp_path)


class _Released:
    """Releases a lock at the end."""

    def __init__(self, lock: DirectoryLock) -> None:
        self.close = lock.release
