"""Server and web page as two processes of one command: both come up, or neither; both go down together."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from types import FrameType

import click

_ADDRESS = re.compile(r"serves on (\S+) ")
_PAGE = re.compile(r"page is at (\S+) ")
_STOP_S = 15.0


def run_together(data: str, listen: str, port: int, device: str) -> int:
    """Start both, print one line, wait until a signal or the end of either; the exit code."""
    stopping = _StopFlag()
    server = _start("haleganada_server", "serve", "--data", data, "--listen", listen, "--device", device)
    address = _first_match(server, _ADDRESS)
    if address is None:
        return server.wait() or 1  # it has said why on stderr
    page = _start("haleganada_client.cli", "--server", address, "web", "--port", str(port))
    try:
        url = _first_match(page, _PAGE)
        if url is None:
            return page.wait() or 1
        click.echo(f"Haleganada is ready: {url}  (data in {data}, gRPC on {address}; Ctrl+C stops it)")
        return _watch(server, page, stopping)
    finally:
        _stop(page, server)


class _StopFlag:
    """Set by SIGINT or SIGTERM, from the moment that it is made."""

    def __init__(self) -> None:
        self.set = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.set = True


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", module, *arguments]
    # A session of its own: Ctrl+C reaches only this process, which then stops the two in order.
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True, start_new_session=True)


def _first_match(process: subprocess.Popen[str], pattern: re.Pattern[str]) -> str | None:
    """What the pattern finds in the lines that a process prints; None if it ends before."""
    assert process.stdout is not None
    for line in process.stdout:
        if match := pattern.search(line):
            return match[1]
    return None


def _watch(server: subprocess.Popen[str], page: subprocess.Popen[str], stopping: _StopFlag) -> int:
    while not stopping.set:
        for name, process in (("server", server), ("web page", page)):
            if process.poll() is not None:
                click.echo(f"haleganada: the {name} ended unexpectedly; see above", err=True)
                return 1
        time.sleep(0.2)
    return 0


def _stop(*processes: subprocess.Popen[str]) -> None:
    """The page first, so that no request meets a stopped server."""
    for process in processes:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
