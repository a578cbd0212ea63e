"""Python processes that need not import the server or the page: each is a fork of one that has.

The imports take half a second of processor time, and the tests start hundreds of them. A fork is a process like any
other: its memory, its descriptors and its end are its own. What a test says about the very start of a process, or about
its size, it checks with subprocess.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TextIO

from haleganada_server.core.disk.failpoints import VARIABLE, arm

_FORKS = multiprocessing.get_context("forkserver")
_PAGE = ("haleganada_client.cli.commands.starting.serve", "haleganada_client.web.app", "haleganada_client.web.serving")
_FORKS.set_forkserver_preload(["haleganada_server.serve", *_PAGE, __name__])


class PreloadedProcess:
    """What subprocess.Popen is for `python ARGUMENTS`, which begin with -m MODULE, -c CODE or a script."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        stdout: bool = True,
        stderr: bool = False,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        """Start it. stdout, stderr: whether they are pipes to read text from, or those of the tests."""
        self.args = [sys.executable, *arguments]
        self.stdout, to_stdout = _open(1, as_pipe=stdout)
        self.stderr, to_stderr = _open(2, as_pipe=stderr)
        # A daemon, so that no process outlives the tests.
        self._process = _FORKS.Process(target=_run, args=(arguments, dict(env), to_stdout, to_stderr), daemon=True)
        self._process.start()
        to_stdout.close()
        to_stderr.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status. Raises TimeoutExpired."""
        self._process.join(timeout)
        if (code := self.returncode) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read the pipes to their ends, close them and wait for the end of the process. Raises TimeoutExpired."""
        with ThreadPoolExecutor(2) as pool:
            stdout, stderr = pool.map(_read_rest, (self.stdout, self.stderr))
        self._close_pipes()
        self.wait(timeout)
        return stdout, stderr

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> PreloadedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the pipes and wait for its end."""
        self._close_pipes()
        self.wait()

    def _close_pipes(self) -> None:
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()


def run_preloaded(arguments: Sequence[str], env: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` to its end."""
    process = PreloadedProcess(arguments, stderr=True, env=env)
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.wait(), stdout, stderr)


def _read_rest(pipe: TextIO | None) -> str:
    return "" if pipe is None or pipe.closed else pipe.read()


def _open(number: int, *, as_pipe: bool) -> tuple[TextIO | None, Connection]:
    """Return the end to read from, and what the process gets as its descriptor of this number: a pipe, or ours."""
    if not as_pipe:
        return None, Connection(os.dup(number), readable=False)
    ours, theirs = _FORKS.Pipe(duplex=False)
    with ours:
        return os.fdopen(os.dup(ours.fileno()), encoding="utf-8"), theirs


def _run(arguments: Sequence[str], environment: Mapping[str, str], stdout: Connection, stderr: Connection) -> None:
    """Become the process: what the interpreter does with its command line."""
    for given, number in ((stdout, 1), (stderr, 2)):
        os.dup2(given.fileno(), number)
        given.close()
    os.environ.clear()
    os.environ.update(environment)
    arm(os.environ.get(VARIABLE, ""))
    first, *rest = arguments
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = list(arguments)
        runpy.run_path(first, run_name="__main__")
