"""`haleganada up`: one command, one line, both processes gone afterwards, whatever happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient

from tests.e2e.processes import server, zigzag
from tests.support.datasets import drawings, write_npz
from tests.support.slow import slow
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Up:
    """A running `haleganada up`, the line that it printed, and the addresses in it."""

    process: subprocess.Popen[str]
    line: str
    page: str
    server: str

    def end(self) -> tuple[int, str, str]:
        """Its exit code, and the rest of what it printed on stdout and stderr."""
        stdout, stderr = self.process.communicate(timeout=30)
        return self.process.returncode, stdout, stderr


def command(data: Path, *shared: str, port: int = 0, listen: str = "127.0.0.1:0") -> list[str]:
    where = ["--data", str(data), "--listen", listen, "--port", str(port), "--device", "cpu"]
    return [sys.executable, "-m", "haleganada_client.cli", *shared, "up", *where]


@contextmanager
def up(data: Path, *shared: str, flags: tuple[str, ...] = ()) -> Iterator[Up]:
    """Stopped at the end if it still runs; nothing of it may be left then."""
    line = [*command(data, *shared), *flags]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        commands = "" if "--json" in shared else process.stdout.readline()
        page, address = re.search(r"http://127\.0\.0\.1:\d+", ready), re.search(r"(?<!/)127\.0\.0\.1:\d+", ready)
        assert page is not None and address is not None, ready
        assert "--json" in shared or re.search(rf"haleganada --server {address[0]}( -w .+)? stats", commands)
        yield Up(process, ready, page[0], address[0])
    finally:
        with process:  # which waits for its end
            process.terminate()
    assert_gone(data)


def processes(pattern: str) -> list[int]:
    """Those whose command line has the pattern."""
    found = subprocess.run(["pgrep", "-f", "--", pattern], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def children(data: Path) -> list[int]:
    """Processes of a data directory: the command itself, and its server."""
    return processes(str(data))


def pages(address: str) -> list[int]:
    """Web pages of a server."""
    return processes(f"--server {address} ")


def assert_gone(data: Path) -> None:
    wait_until(lambda: not children(data), 20, "a process was left behind")


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.status == 200
        return bytes(answer.read())


@pytest.mark.parametrize("number", [signal.SIGINT, *slow(signal.SIGTERM, signal.SIGHUP)])
def test_it_serves_the_page_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with up(tmp_path) as running:
        assert running.line.startswith(f"Haleganada is ready: {running.page}  (data in {tmp_path}, gRPC on ")
        fetch(f"{running.page}/api/health")
        assert len(pages(running.server)) == 1
        running.process.send_signal(number)
        assert running.end() == (0, "", "")
        assert not pages(running.server)


def test_what_was_taught_is_there_again(tmp_path: Path) -> None:
    with up(tmp_path) as running, HaleganadaClient(running.server) as client:
        client.create_workspace("class")
        client.train(zigzag(1), "ಅ", workspace="class")
        running.process.send_signal(signal.SIGINT)
        assert running.end()[0] == 0
    with up(tmp_path, "--json", "-w", "class") as running:
        facts = json.loads(running.line)
        assert facts == {"page": running.page, "server": running.server, "data": str(tmp_path)}
        assert "ಅ" in json.loads(fetch(f"{running.page}/stats"))["character_counts"]


def test_it_hands_on_where_data_sets_and_weights_are(tmp_path: Path) -> None:
    shelf, weights = tmp_path / "shelf", [tmp_path / "18.safetensors", tmp_path / "50.safetensors"]
    shelf.mkdir()
    for path in weights:
        path.touch()
    write_npz(shelf / "digits.npz", x=drawings(20), y=[i % 2 for i in range(20)])
    flags = ("--datasets-from", str(shelf), *(word for path in weights for word in ("--backbone-weights", str(path))))
    with up(tmp_path / "data", flags=flags) as running, HaleganadaClient(running.server) as client:
        assert client.datasets.add("digits.npz").labels_total == 2
        assert len(processes(f"haleganada_server serve .*--backbone-weights {weights[0]} .*{weights[1]}")) == 1


@pytest.mark.parametrize("victim", ["server", *slow("web page")])
def test_one_that_dies_takes_the_other_with_it(tmp_path: Path, victim: str) -> None:
    with up(tmp_path) as running:
        servers = [pid for pid in children(tmp_path) if pid != running.process.pid]
        (pid,) = servers if victim == "server" else pages(running.server)
        os.kill(pid, signal.SIGKILL)
        code, _, stderr = running.end()
        assert code == 1 and f"the {victim} exited unexpectedly (signal 9)" in stderr
        assert not pages(running.server)


def test_nothing_is_left_when_it_is_killed(tmp_path: Path) -> None:
    with up(tmp_path) as running, HaleganadaClient(running.server) as client:
        client.train(zigzag(1), "ಅ")
        running.process.kill()
        running.process.wait()
        wait_until(lambda: not children(tmp_path) and not pages(running.server), 20, "a process was left behind")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_run_leaves_nothing_when_it_is_stopped(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    arguments = f"--listen 127.0.0.1:0 --port 0 --device cpu --data {tmp_path}"
    line = ["make", "--silent", "--old-file=setup", "run", f"BIN={Path(sys.executable).parent}", f"ARGS={arguments}"]
    process = subprocess.Popen(line, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline().startswith("Haleganada is ready")
        process.terminate()
    assert_gone(tmp_path)


@pytest.mark.parametrize("option", ["--port", *slow("--listen")])
def test_a_busy_port_is_said_in_one_sentence(tmp_path: Path, busy_port: int, option: str) -> None:
    line = (
        command(tmp_path, port=busy_port) if option == "--port" else command(tmp_path, listen=f"127.0.0.1:{busy_port}")
    )
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.count("\n") == 1 and option in done.stderr and str(busy_port) in done.stderr
    assert_gone(tmp_path)


def test_a_data_directory_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    with server(tmp_path):
        done = subprocess.run(command(tmp_path), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.count("\n") == 1 and "--data" in done.stderr


def test_a_stop_while_starting_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: len(children(tmp_path)) == 2)  # the server's process is there
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert_gone(tmp_path)
