"""Temporary folders: gone at the end, or, if their process was killed, when the next one begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from haleganada_server.bulk.temporary import temporary_folder

PREFIX = "haleganada-test-"
_HOLD = """
import sys, time
from haleganada_server.bulk.temporary import temporary_folder
with temporary_folder(sys.argv[2], sys.argv[1]) as folder:
    (folder / "left").mkdir()
    print(folder, flush=True)
    time.sleep(600)
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_only_what_a_killed_process_has_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "haleganada-other").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "elsewhere")
    line = [sys.executable, "-c", _HOLD, str(tmp_path), PREFIX]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        held = Path(process.stdout.readline().strip())
        with temporary_folder(PREFIX, str(tmp_path)) as own:
            assert held.is_dir() and own.is_dir() and own != held
        assert held.is_dir() and not own.exists()
        process.kill()
    assert held.is_dir()
    with temporary_folder(PREFIX, str(tmp_path)) as own:
        assert names(tmp_path) == {own.name, "haleganada-other", "elsewhere", f"{PREFIX}link"}
    assert names(tmp_path) == {"haleganada-other", "elsewhere", f"{PREFIX}link"}
