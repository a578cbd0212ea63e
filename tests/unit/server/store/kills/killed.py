"""Runs a few lines in processes of their own, which kill themselves at failpoints."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from haleganada_server.core.disk.failpoints import VARIABLE

from tests.support.preloaded import run_preloaded

_BEGINNING = """
import sys
from pathlib import Path
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer
data = Path(sys.argv[1])
directory = DataDirectory(data, PillowRasterizer())
"""


def run_until_killed(lines: str, data: Path, point: str) -> None:
    """Open a data directory, run lines that use `directory` and `data`, and check that they reach the failpoint."""
    done = run_preloaded(["-c", _BEGINNING + lines, str(data)], env={**os.environ, VARIABLE: point})
    assert done.returncode == -signal.SIGKILL, f"{point} is not reached: {done.stderr}"


_EACH = """
import os, sys
from pathlib import Path
from haleganada_server.core.disk.failpoints import arm
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer
from tests.unit.server.store import rows
for point in sys.argv[2:]:
    if not (child := os.fork()):
        data = Path(sys.argv[1]) / point
        directory = DataDirectory(data, PillowRasterizer())
        arm(point)
        {lines}
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(point, "did" if code == -9 else "did not", "kill")
"""


def run_until_killed_at_each(lines: str, root: Path, points: Sequence[str]) -> None:
    """Run lines as run_until_killed does, once for each failpoint, on the data directory root/POINT. Only one process
    is started, which forks, because most of a process's time is its imports.
    """
    done = run_preloaded(["-c", _EACH.format(lines=lines.replace("\n", "\n        ")), str(root), *points])
    assert done.stdout.splitlines() == [f"{point} did kill" for point in points], done.stderr
