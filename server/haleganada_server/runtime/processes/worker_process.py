"""A child process that answers requests, one after another, as frames over its standard input and output."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from .child_processes import lower_priority, prefer_as_oom_victim
from .frames import read_frame, write_frame
from .process_load import ProcessLoad, measure_cpu, measure_session

Message = tuple[dict[str, Any], bytes]


class WorkerProcess:
    """One worker. One thread at a time sends requests; any thread may kill it."""

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, is_background: bool = False
    ) -> None:
        """environment: variables beside those of this process. is_background: let all other processes go first, and
        end what the worker has started together with it. Raises OSError.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment} if environment else None,
            start_new_session=is_background,
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) if is_background else 0,
        )
        self.busy_since: float | None = None  # monotonic clock; for its pool
        self._has_group = is_background and hasattr(os, "killpg")
        self._ending = threading.Lock()
        if is_background:
            lower_priority(self._process.pid)
        prefer_as_oom_victim(self._process.pid)

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended by itself, or was killed by another."""
        with self._ending:
            return self._process.poll() is not None

    def measure_load(self) -> ProcessLoad | None:
        """Return what a worker in the background is doing; None where the system does not tell."""
        return measure_session(self._process.pid)

    def measure_cpu(self) -> float:
        """Return the seconds of processor time that it has had, and programs that it started and that have ended."""
        return measure_cpu(self._process.pid)

    def describe_end(self) -> str:
        """Return how an ended process ended, for a log."""
        return f"status {self._process.returncode}"

    def wait_ready(self, timeout_s: float) -> None:
        """Wait for its greeting. Raises OSError if none comes."""
        timer = threading.Timer(timeout_s, self.kill)
        timer.start()
        try:
            self._receive()
        except (OSError, EOFError, ValueError) as error:
            self.end()
            raise OSError(str(error)) from error
        finally:
            timer.cancel()

    def request(self, message: Message) -> Message:
        """Send a request and return the response. Raises OSError, EOFError or ValueError if there is none; the worker
        is unusable then.
        """
        assert self._process.stdin is not None
        write_frame(self._process.stdin, *message)
        return self._receive()

    def kill(self) -> None:
        """Kill the process; who waits for its response gets an error."""
        with self._ending:
            if self._process.returncode is not None:
                return  # its process id may have been reused
            if self._has_group:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def end(self) -> None:
        """Kill the process and release its pipes. Safe to call twice."""
        self.kill()
        with self._ending:
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):  # unsent bytes are lost with the worker
                    pipe.close()

    def _receive(self) -> Message:
        assert self._process.stdout is not None
        frame = read_frame(self._process.stdout)
        if frame is None:
            raise EOFError("it has exited")
        return frame
