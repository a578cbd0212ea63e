"""Server and web page as two processes of one command: both come up, or neither; both go down together."""

from __future__ import annotations

import json
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING

import click

from haleganada_client.errors import HaleganadaError

if TYPE_CHECKING:  # gRPC is imported where it is needed
    from haleganada_client.types import ImportReport

_ADDRESS = re.compile(r"serves on (\S+) ")
_PAGE = re.compile(r"page is at (\S+) ")
_STOP_S = 15.0
_LOOK_S = 0.1


@dataclass(frozen=True)
class Plan:
    """What to start. workspace "": the page's own default. starter: teach it digits and small letters first.

    datasets_from, backbone_weights: paths, as `serve` takes them; None = none.
    """

    data: str
    listen: str
    port: int
    device: str
    workspace: str
    starter: bool = False
    datasets_from: str | None = None
    backbone_weights: str | None = None

    def server_flags(self) -> list[str]:
        """The options of `serve`."""
        named = {
            "--data": self.data,
            "--listen": self.listen,
            "--device": self.device,
            "--datasets-from": self.datasets_from,
            "--backbone-weights": self.backbone_weights,
        }
        return [word for flag, value in named.items() if value is not None for word in (flag, value)]


def run_together(plan: Plan, as_json: bool) -> int:
    """Start both, print one line, wait until a signal or the end of either; the exit code."""
    stopping = _StopFlag()
    children: list[_Child] = []
    try:
        children.append(_Child("server", ["haleganada_server", "serve", *plan.server_flags()], _ADDRESS))
        address = children[0].address(stopping)
        if address is None:
            return _why_not(children[0], stopping)
        taught = _teach_starter(address, plan.workspace) if plan.starter else None
        shared = ["--server", address, *(["--workspace", plan.workspace] if plan.workspace else [])]
        children.append(_Child("web page", ["haleganada_client.cli", *shared, "web", "--port", str(plan.port)], _PAGE))
        url = children[1].address(stopping)
        if url is None:
            return _why_not(children[1], stopping)
        _announce(plan, url, address, taught, as_json)
        return _watch(children, stopping)
    except HaleganadaError as error:
        click.echo(f"haleganada: {error.message}", err=True)
        return 1
    finally:
        for child in reversed(children):  # the page first, so that no request meets a stopped server
            child.stop()


def _teach_starter(address: str, workspace: str) -> ImportReport:
    """Teach what was not taught before. Raises HaleganadaError."""
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.connection import ClientConfig
    from haleganada_client.starter import teach_starter

    config = ClientConfig.from_environment()
    chosen = workspace or config.workspace
    with HaleganadaClient(config=replace(config, target=address, workspace=chosen)) as client:
        return teach_starter(client)


def _announce(plan: Plan, url: str, address: str, taught: ImportReport | None, as_json: bool) -> None:
    facts: dict[str, object] = {"page": url, "server": address, "data": plan.data}
    more = ""
    if taught:
        facts["starter"] = {"taught": taught.imported, "duplicates": taught.duplicates}
        more = f"{taught.imported} digits and letters taught, {taught.duplicates} known before; "
    words = f"Haleganada is ready: {url}  (data in {plan.data}, gRPC on {address}; {more}Ctrl+C stops it)"
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else words)


class _StopFlag:
    """Set by SIGINT, SIGTERM or the terminal's end, from the moment that it is made."""

    def __init__(self) -> None:
        self.set = False
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.set = True


class _Child:
    """A process that prints its address when it is ready. A thread reads what it prints, so that it never blocks."""

    def __init__(self, name: str, arguments: list[str], pattern: re.Pattern[str]) -> None:
        self.name = name
        # A session of its own: Ctrl+C reaches only this process, which then stops the two in order.
        line = [sys.executable, "-m", *arguments]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self._found: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, args=(pattern,), daemon=True).start()

    def _read(self, pattern: re.Pattern[str]) -> None:
        assert self.process.stdout is not None
        for printed in self.process.stdout:
            if match := pattern.search(printed):
                self._found.put(match[1])
        self._found.put(None)

    def address(self, stopping: _StopFlag) -> str | None:
        """What it printed; None if it ended before, or is to be stopped."""
        while not stopping.set:
            try:
                return self._found.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
        return None

    def stop(self) -> None:
        """In good order if it can, else at once."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _why_not(child: _Child, stopping: _StopFlag) -> int:
    """The exit code where a child did not come up; it has said why on stderr."""
    return 0 if stopping.set else child.process.wait() or 1


def _watch(children: list[_Child], stopping: _StopFlag) -> int:
    while not stopping.set:
        for child in children:
            if (code := child.process.poll()) is not None:
                click.echo(
                    f"haleganada: the {child.name} ended unexpectedly ({_ending(code)}); all is stopped", err=True
                )
                return 1
        time.sleep(_LOOK_S)
    return 0


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
