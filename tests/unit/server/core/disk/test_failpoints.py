"""Failpoints do nothing unless the environment names them; then they kill the process, or raise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from haleganada_server.core.disk.failpoints import VARIABLE

PROGRAM = """
from haleganada_server.core.disk.failpoints import reach
for number in range(3):
    try:
        reach("here")
    except OSError as error:
        print(error.errno)
    reach("there")
print("end", flush=True)
"""


def run(rules: str) -> tuple[int, str]:
    environment = {**os.environ, VARIABLE: rules}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
def test_points_kill_or_raise_where_they_are_named() -> None:
    assert run("") == run("elsewhere") == run("here=4") == (0, "end\n")
    assert run("here") == run("elsewhere, there=3") == (-signal.SIGKILL, "")
    assert run("here:error=EIO") == (0, "5\n5\n5\nend\n")
