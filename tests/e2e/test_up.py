"""`haleganada up`: one command, one line, both processes gone afterwards."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


def test_up_serves_the_page_and_stops_cleanly(tmp_path: Path) -> None:
    line = [
        sys.executable,
        "-m",
        "haleganada_client.cli",
        "up",
        "--data",
        str(tmp_path),
        "--listen",
        "127.0.0.1:0",
        "--port",
        "0",
    ]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready = process.stdout.readline()
    found = re.search(r"ready: (http://127\.0\.0\.1:\d+) ", ready)
    assert found is not None, ready
    with urllib.request.urlopen(f"{found[1]}/api/health", timeout=10) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    time.sleep(0.2)
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, check=False).stdout
    assert not left, "a process was left behind"


def test_a_busy_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = [sys.executable, "-m", "haleganada_client.cli", "up", "--data", str(tmp_path), "--listen", "127.0.0.1:0"]
        done = subprocess.run([*line, "--port", str(port)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "--port" in done.stderr and "Traceback" not in done.stderr
