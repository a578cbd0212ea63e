"""Run the server and the web page as two processes of one command: they start and stop together, or not at all."""

from __future__ import annotations

import json
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from types import FrameType

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.global_options import GlobalOptions
from haleganada_client.cli.setting_names import name_options
from haleganada_client.errors import HaleganadaError

from .first_steps import FirstSteps, take_first_steps

_ADDRESS = re.compile(r"serves on (\S+) ")
_PAGE = re.compile(r"page is at (\S+) ")
_USUAL_ADDRESS = "127.0.0.1:50051"  # what all commands use if nothing else is said
_STOP = "--stop-with-stdin"  # what ends with this process, even if that is killed
_STOP_TIMEOUT_S = 15.0
_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class LaunchOptions:
    """What to start. workspace "": the page's default. starter: teach the digits and small letters first. example: one
    of examples.EXAMPLES to open, "" = none.

    datasets_from, backbone_weights: paths, as for `serve`; None or () = not given.
    """

    data: str
    listen: str
    port: int
    device: str
    workspace: str
    starter: bool = False
    example: str = ""
    datasets_from: str | None = None
    backbone_weights: tuple[str, ...] = ()

    def server_flags(self) -> list[str]:
        """Return the arguments of `serve`."""
        flags = {
            "--data": self.data,
            "--listen": self.listen,
            "--device": self.device,
            "--datasets-from": self.datasets_from,
        }
        given = [word for flag, value in flags.items() if value is not None for word in (flag, value)]
        return [*given, *(word for path in self.backbone_weights for word in ("--backbone-weights", path))]


def run_server_and_page(options: LaunchOptions, as_json: bool) -> int:
    """Start both, print one line, and wait for a signal or for either to exit. Return the exit code."""
    stopping = _StopFlag()
    children: list[_Child] = []
    try:
        children.append(_Child("server", ["haleganada_server", "serve", *options.server_flags(), _STOP], _ADDRESS))
        address = children[0].wait_for_address(stopping)
        if address is None:
            return _exit_code_of_failed_start(children[0], stopping)
        done = take_first_steps(address, options.workspace, starter=options.starter, example=options.example)
        shared = ["--server", address, *(["--workspace", options.workspace] if options.workspace else [])]
        children.append(
            _Child("web page", ["haleganada_client.cli", *shared, "web", "--port", str(options.port), _STOP], _PAGE)
        )
        url = children[1].wait_for_address(stopping)
        if url is None:
            return _exit_code_of_failed_start(children[1], stopping)
        _announce(options, url, address, done, as_json)
        return _supervise(children, stopping)
    except HaleganadaError as error:
        click.echo(f"haleganada: {name_options(error.message)}", err=True)
        return ExitCode.FAILURE
    finally:
        for child in reversed(children):  # the page first, so that no request meets a stopped server
            child.stop()


def _announce(options: LaunchOptions, url: str, address: str, done: FirstSteps, as_json: bool) -> None:
    facts: dict[str, object] = {"page": url, "server": address, "data": options.data}
    starter = ""
    if done.starter:
        facts["starter"] = {"taught": done.starter.imported, "duplicates": done.starter.duplicates}
        starter = f"starter: {done.starter.imported} drawings taught, {done.starter.duplicates} already known; "
    shared = GlobalOptions(server=address, workspace=options.workspace or None)
    text = f"Haleganada is ready: {url}  (data in {options.data}, gRPC on {address}; {starter}Ctrl+C stops it)"
    if done.example:
        example_url = f"{url}/read#reading/{done.example.reading_id}"
        facts["example"] = {**asdict(done.example), "page": example_url}
        text += f"\nexample: {example_url}  (read by the workspace “{done.example.workspace}”)"
    if address != _USUAL_ADDRESS:
        next_commands = [shared.command_line(*words) for words in (("train", "ಅ", "drawing.png"), ("stats",))]
        text += (
            f"\nnext, in another terminal: {'; '.join(next_commands)}  (or first: export HALEGANADA_TARGET={address})"
        )
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else text)


class _StopFlag:
    """Becomes set on SIGINT, SIGTERM or SIGHUP. Signals are caught from the moment it is created."""

    def __init__(self) -> None:
        self.set = False
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.set = True


class _Child:
    """A process that prints its address when it is ready. A thread drains its output, so that it never blocks."""

    def __init__(self, name: str, arguments: list[str], pattern: re.Pattern[str]) -> None:
        self.name = name
        # In a session of its own, so that Ctrl+C reaches only this process, which then stops the two in order.
        # Nothing is written to its stdin, which the system closes when this process ends.
        command = [sys.executable, "-m", *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
        self._addresses: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._drain_output, args=(pattern,), daemon=True).start()

    def _drain_output(self, pattern: re.Pattern[str]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if match := pattern.search(line):
                self._addresses.put(match[1])
        self._addresses.put(None)

    def wait_for_address(self, stopping: _StopFlag) -> str | None:
        """Return the address once it is printed; None if the process exits before, or stopping is set."""
        while not stopping.set:
            try:
                return self._addresses.get(timeout=_POLL_S)
            except queue.Empty:
                continue
        return None

    def stop(self) -> None:
        """Stop the process: politely at first, by force if that takes too long."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _exit_code_of_failed_start(child: _Child, stopping: _StopFlag) -> int:
    """Return the exit code for a child that did not start; it has printed the reason to stderr."""
    return ExitCode.SUCCESS if stopping.set else child.process.wait() or ExitCode.FAILURE


def _supervise(children: list[_Child], stopping: _StopFlag) -> int:
    while not stopping.set:
        for child in children:
            if (code := child.process.poll()) is not None:
                how = f"signal {-code}" if code < 0 else f"exit code {code}"
                message = f"the {child.name} exited unexpectedly ({how}); stopping everything"
                click.echo(f"haleganada: {message}", err=True)
                return ExitCode.FAILURE
        time.sleep(_POLL_S)
    return ExitCode.SUCCESS
