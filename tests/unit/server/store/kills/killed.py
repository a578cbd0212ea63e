"""Runs a few lines in a process of their own, which kills itself at a failpoint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from haleganada_server.core.failpoints import VARIABLE

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
    line = [sys.executable, "-c", _BEGINNING + lines, str(data)]
    done = subprocess.run(line, env={**os.environ, VARIABLE: point}, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, f"{point} is not reached: {done.stderr}"
