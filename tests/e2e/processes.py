"""Real server processes: started, killed, stopped, and asked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from haleganada_client import HaleganadaClient, Ink, Stroke
from haleganada_server.core.disk.failpoints import VARIABLE

from tests.support.preloaded import PreloadedProcess

_ADDRESS = re.compile(r"serves on (\S+) ")


class ServerEnded(AssertionError):
    """A server ended before it was ready."""


@dataclass(frozen=True)
class ServerProcess:
    """A server in a process of its own."""

    process: subprocess.Popen[str] | PreloadedProcess
    address: str

    def client(self, *, retry: bool = True) -> HaleganadaClient:
        return HaleganadaClient(self.address, retry=retry)

    def kill(self) -> None:
        """As the machine's power would end it: no handler runs."""
        with self.process:  # which waits for its end, and closes the pipe
            self.process.send_signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        with self.process:
            self.process.terminate()
            return self.process.wait(60)


def start_server(data: Path, *options: str, listen: str = "127.0.0.1:0", failpoints: str = "") -> ServerProcess:
    """A server on a port that the system chooses, once it is ready. failpoints: see core/disk/failpoints.py."""
    return start_preloaded([*_serve(data, listen), *options], failpoints)


def start_preloaded(arguments: Sequence[str], failpoints: str = "") -> ServerProcess:
    """A server that `python ARGUMENTS` runs, in a process that need not import it, once it is ready."""
    return _wait_until_ready(PreloadedProcess(arguments, env={**os.environ, VARIABLE: failpoints}))


def start_process(line: Sequence[str]) -> ServerProcess:
    """A server that a command runs, once it is ready."""
    return _wait_until_ready(subprocess.Popen(line, stdout=subprocess.PIPE, text=True))


def _serve(data: Path, listen: str) -> list[str]:
    return ["-m", "haleganada_server", "serve", "--listen", listen, "--device", "cpu", "--data", str(data)]


def _wait_until_ready(process: subprocess.Popen[str] | PreloadedProcess) -> ServerProcess:
    assert process.stdout is not None
    for printed in process.stdout:
        if match := _ADDRESS.search(printed):
            return ServerProcess(process, match[1])
    with process:
        raise ServerEnded(f"the server ended with {process.wait()} before it was ready")


@contextmanager
def server(data: Path, *options: str) -> Iterator[ServerProcess]:
    """A server that is killed at the end if it still runs."""
    with _kill_at_the_end(start_server(data, *options)) as running:
        yield running


@contextmanager
def fresh_server(data: Path, *options: str, listen: str = "127.0.0.1:0") -> Iterator[ServerProcess]:
    """A server whose process shares no memory with others, so that it can be measured; killed at the end."""
    with _kill_at_the_end(start_process([sys.executable, *_serve(data, listen), *options])) as running:
        yield running


@contextmanager
def _kill_at_the_end(running: ServerProcess) -> Iterator[ServerProcess]:
    try:
        yield running
    finally:
        running.kill()


def children_of(parent: int) -> list[int]:
    """Return the ids of the processes that a process has started, and that have not ended."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                state, its_parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(its_parent) == parent and state != "Z":
                    found.append(int(folder.name))
    return found


def command_of(pid: int) -> list[str]:
    """Return the command line of a process; nothing if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []


def train_python() -> Path:
    """The Python of an environment with torch: TRAIN_PYTHON, or .venv-train as `make test` makes it."""
    return Path(os.environ.get("TRAIN_PYTHON", Path(__file__).parents[2] / ".venv-train" / "bin" / "python"))


def missing_torch() -> str:
    """Why there can be no server that trains, "" if there can."""
    python = train_python()
    return "" if python.exists() else f"{python} is not there; make test makes it, or name one in TRAIN_PYTHON"


@contextmanager
def training_server(data: Path) -> Iterator[ServerProcess]:
    """A server that can train, killed at the end if it still runs."""
    line = [str(train_python()), "-m", "haleganada_server", "serve", "--listen", "127.0.0.1:0", "--data", str(data)]
    with _kill_at_the_end(start_process(line)) as running:
        yield running


def zigzag(character: int, hand: int = 0) -> Ink:
    """A character of straight strokes that only `character` decides, drawn by hand number `hand`: a shift of a few
    units.
    """
    corners = [
        ((character * 37 + i * 71) % 200 + 40 + hand % 5, (character * 53 + i * 97) % 200 + 40 - hand % 7)
        for i in range(6)
    ]
    return Ink((Stroke(tuple(float(x) for x, _ in corners), tuple(float(y) for _, y in corners)),), 280, 280, 12)
